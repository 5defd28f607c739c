using Microsoft.Build.Framework;

namespace ImagePublish.Tasks;

/// <summary>
/// Reads which global properties of a build a platform's build replaces, so that the projects that it references get the same ones as in
/// the outer build and are not built again.
/// </summary>
public sealed class ReadGlobalProperties : Microsoft.Build.Utilities.Task
{
    /// <summary>The names that are asked for.</summary>
    [Required]
    public string[] Names { get; set; } = [];

    /// <summary><c>Name=value;…</c>, escaped once more, so that it can be the value of one property among several.</summary>
    [Output]
    public string Properties { get; set; } = "";

    /// <summary>The names among those asked for that the build does not have: the platform's build adds them.</summary>
    [Output]
    public string Absent { get; set; } = "";

    /// <summary>The names of all global properties.</summary>
    [Output]
    public string All { get; set; } = "";

    /// <inheritdoc/>
    public override bool Execute()
    {
        if (BuildEngine is not IBuildEngine6 engine)
            return true;
        var properties = engine.GetGlobalProperties();
        var given = properties
            .Where(property => Names.Contains(property.Key, StringComparer.OrdinalIgnoreCase))
            .OrderBy(property => property.Key, StringComparer.Ordinal)
            .ToList();
        Properties = string.Join("%3B", given.Select(property => $"{property.Key}={Escape(property.Value)}"));
        All = string.Join(';', properties.Keys);
        Absent = string.Join(';', Names.Except(given.Select(property => property.Key), StringComparer.OrdinalIgnoreCase));
        return true;
    }

    // A separator in a value stays one: MSBuild reads "A=1;2;B=3" as A with "1;2".
    private static string Escape(string value) =>
        value.Replace("%", "%25", StringComparison.Ordinal).Replace(";", "%3B", StringComparison.Ordinal);
}

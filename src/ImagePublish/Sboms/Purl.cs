namespace ImagePublish.Sboms;

/// <summary>Package URLs, by which scanners know a package.</summary>
/// <remarks><see href="https://github.com/package-url/purl-spec">purl-spec</see>.</remarks>
internal static class Purl
{
    public static string Create(string type, string? space, string name, string? version, params (string Key, string? Value)[] qualifiers)
    {
        var known = qualifiers
            .Where(one => !string.IsNullOrEmpty(one.Value))
            .OrderBy(one => one.Key, StringComparer.Ordinal)
            .Select(one => $"{one.Key}={Escape(one.Value!)}")
            .ToList();
        return $"pkg:{type}/{(space is null ? "" : Escape(space) + "/")}{Escape(name)}"
            + (string.IsNullOrEmpty(version) ? "" : "@" + Escape(version))
            + (known.Count == 0 ? "" : "?" + string.Join('&', known));
    }

    public static string OfNuGet(string id, string version) => Create("nuget", null, id, NormalVersion(version));

    // Metadata of a build does not make it another version.
    internal static string NormalVersion(string version) => version.Split('+')[0];

    private static string Escape(string text) => Uri.EscapeDataString(text);
}

namespace ImagePublish.Common;

/// <summary>Package URLs, which name software across ecosystems, and by which scanners know it.</summary>
/// <remarks><see href="https://github.com/package-url/purl-spec">purl-spec</see>.</remarks>
internal static class PackageUrl
{
    public static string Create(string type, string? space, string name, string? version, params (string Key, string? Value)[] qualifiers)
    {
        var known = qualifiers
            .Where(one => !string.IsNullOrEmpty(one.Value))
            .OrderBy(one => one.Key, StringComparer.Ordinal)
            // As in the specification's own tests, a slash stays readable here.
            .Select(one => $"{one.Key}={Escape(one.Value!).Replace("%2F", "/", StringComparison.Ordinal)}")
            .ToList();
        return $"pkg:{type}/{(space is null ? "" : Escape(space) + "/")}{Escape(name)}"
            + (string.IsNullOrEmpty(version) ? "" : "@" + Escape(version))
            + (known.Count == 0 ? "" : "?" + string.Join('&', known));
    }

    public static string NuGet(string id, string version) => Create("nuget", null, id, WithoutBuild(version));

    /// <summary>An image. Its registry and the folders of its name are no part of the package's name but a qualifier.</summary>
    public static string Image(string name, string? digest, params (string Key, string? Value)[] qualifiers) =>
        Create("oci", null, name[(name.LastIndexOf('/') + 1)..], digest, qualifiers);

    /// <summary>A version of NuGet without its build metadata, which does not make it another version.</summary>
    public static string WithoutBuild(string version) => version.Split('+')[0];

    // The specification forbids to encode a colon, wherever it is.
    private static string Escape(string text) => Uri.EscapeDataString(text).Replace("%3A", ":", StringComparison.Ordinal);
}

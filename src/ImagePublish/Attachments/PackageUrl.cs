using ImagePublish.Oci;

namespace ImagePublish.Attachments;

/// <summary>Package URLs, which name software across ecosystems.</summary>
/// <remarks><see href="https://github.com/package-url/purl-spec">purl-spec</see>.</remarks>
internal static class PackageUrl
{
    public static string NuGet(string id, string version) => $"pkg:nuget/{Escape(id)}@{Escape(WithoutBuild(version))}";

    /// <summary>An image. A registry is no part of its name but a qualifier.</summary>
    public static string Image(Repository repository, Platform? platform = null, Tag? tag = null) =>
        Image(repository.Name, repository.ToString(), platform, tag);

    public static string Image(string localName, Platform? platform = null) => Image(localName, null, platform, null);

    private static string Image(string name, string? repository, Platform? platform, Tag? tag)
    {
        var qualifiers = new List<string>();
        if (platform is not null)
            qualifiers.Add($"arch={Escape(platform.Architecture)}");
        if (repository is not null)
            qualifiers.Add($"repository_url={Escape(repository)}");
        if (tag is not null)
            qualifiers.Add($"tag={Escape(tag.Value)}");
        var last = name[(name.LastIndexOf('/') + 1)..];
        return $"pkg:oci/{Escape(last)}" + (qualifiers.Count == 0 ? "" : "?" + string.Join('&', qualifiers));
    }

    // The slash of a repository stays readable: the specification allows it in qualifiers.
    private static string Escape(string text) =>
        Uri.EscapeDataString(text).Replace("%2F", "/", StringComparison.Ordinal).Replace("%3A", ":", StringComparison.Ordinal);

    // Metadata of a build does not tell versions apart.
    private static string WithoutBuild(string version) => version.Split('+')[0];
}

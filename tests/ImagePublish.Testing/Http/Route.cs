using System.Text.RegularExpressions;

namespace ImagePublish.Testing;

/// <summary>Which endpoint a request is for, read from its raw target.</summary>
internal sealed partial record Route(RegistryStep Step, string Repository = "", string Reference = "")
{
    public static Route Parse(string method, string target, string tokenPath)
    {
        var (path, query) = target.Split('?', 2) is [var p, var q] ? (p, q) : (target, "");
        if (path == tokenPath)
            return new(RegistryStep.Token);
        if (path == "/oauth2/exchange")
            return new(RegistryStep.TokenExchange);
        if (path is "/v2/" or "/v2")
            return new(method is "GET" or "HEAD" ? RegistryStep.Ping : RegistryStep.Unknown);
        if (path == "/v2/_catalog")
            return new(RegistryStep.Catalog);
        if (path.StartsWith("/storage/", StringComparison.Ordinal))
            return new(RegistryStep.StorageGet, "", Uri.UnescapeDataString(path["/storage/".Length..]));
        return Endpoint().Match(path) is { Success: true } match
            ? new(StepOf(method, match.Groups["kind"].Value, query), Text(match, "name"), Text(match, "reference"))
            : new(RegistryStep.Unknown);
    }

    private static string Text(Match match, string group) => Uri.UnescapeDataString(match.Groups[group].Value);

    private static RegistryStep StepOf(string method, string kind, string query) =>
        (method, kind) switch
        {
            ("POST", "blobs/uploads") when HasParameter(query, "mount") => RegistryStep.MountPost,
            ("POST", "blobs/uploads") => RegistryStep.UploadPost,
            ("PATCH", "blobs/uploads") => RegistryStep.UploadPatch,
            ("PUT", "blobs/uploads") => RegistryStep.UploadPut,
            ("GET" or "HEAD", "blobs/uploads") => RegistryStep.UploadStatus,
            ("DELETE", "blobs/uploads") => RegistryStep.UploadDelete,
            ("HEAD", "blobs") => RegistryStep.BlobHead,
            ("GET", "blobs") => RegistryStep.BlobGet,
            ("DELETE", "blobs") => RegistryStep.BlobDelete,
            ("HEAD", "manifests") => RegistryStep.ManifestHead,
            ("GET", "manifests") => RegistryStep.ManifestGet,
            ("PUT", "manifests") => RegistryStep.ManifestPut,
            ("DELETE", "manifests") => RegistryStep.ManifestDelete,
            ("GET", "tags") => RegistryStep.TagsList,
            ("GET", "referrers") => RegistryStep.Referrers,
            _ => RegistryStep.Unknown,
        };

    private static bool HasParameter(string query, string name) =>
        query.Split('&').Any(part => part.StartsWith(name + "=", StringComparison.Ordinal));

    [GeneratedRegex(
        @"^/v2/(?<name>.+)/(?<kind>blobs/uploads|blobs|manifests|tags|referrers)/(?<reference>[^/]*)$",
        RegexOptions.ExplicitCapture
    )]
    private static partial Regex Endpoint();
}

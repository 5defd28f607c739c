using System.Globalization;
using System.Net;

namespace ImagePublish.Testing;

public static partial class RegistryDialects
{
    public static RegistryDialect DockerHub =>
        new(
            "Docker Hub",
            o =>
            {
                // Tokens for 300 s, from another host than the registry: auth.docker.io.
                o.SecondHost = true;
                o.SignInByToken("/token", "hubuser", "hub-secret", "registry.docker.io");
                o.Auth.RealmOnSecondHost = true;
                o.Auth.TokenLifetime = TimeSpan.FromSeconds(300);
                o.Auth.AnonymousPull = true;
                // Blobs come from a content network, under signed URLs.
                o.Content.RedirectBlobs = true;
                // Pulls are counted and told of; HEAD is free.
                o.Always(RegistryStep.ManifestGet, FaultAction.SetHeader("ratelimit-limit", "100;w=21600"));
                o.Always(RegistryStep.ManifestGet, FaultAction.SetHeader("ratelimit-remaining", "76;w=21600"));
                // A mount from a repository of another registry breaks.
                o.Always(RegistryStep.MountPost, Error(500, "UNKNOWN", "unknown error"), r =>
                    r.Query.Contains("from=", StringComparison.Ordinal)
                    && r.Query.Split("from=")[1].Split('/', '&', '%')[0].Contains('.', StringComparison.Ordinal)
                );
                o.Content.Referrers = false;
            },
            "hubuser",
            "hub-secret",
            "library/app"
        );

    /// <summary>What Docker Hub answers when it takes a client for an attacker: 429 in plain text.</summary>
    public static FaultAction DockerHubAbuse(int retryAfterSeconds = 60) =>
        FaultAction.Status(
            429,
            "Too Many Requests\n",
            "text/plain",
            true,
            $"Retry-After: {retryAfterSeconds.ToString(CultureInfo.InvariantCulture)}"
        );

    public static RegistryDialect Ghcr =>
        new(
            "GHCR",
            o =>
            {
                // Any user name will do with a good token; public packages can be pulled by anybody's anonymous token.
                o.SignInByToken("/token", "octocat", "ghs_token", "ghcr.io");
                o.Auth.AnyUserPasswords.Add("ghs_token");
                o.Auth.AnonymousPull = true;
                // A PATCH with a range of more than 4 MiB is answered 416.
                o.Uploads.ChunkMaxLength = 4 << 20;
                // Referrers lead to a host that limits the rate of requests.
                o.Content.Referrers = false;
                o.Always(RegistryStep.Referrers, FaultAction.Redirect("https://github.test/-/v2/packages", HttpStatusCode.SeeOther));
                o.SecondHost = true;
                o.Content.RedirectBlobs = true;
            },
            "octocat",
            "ghs_token",
            "octocat/app"
        );

    public static RegistryDialect GitLab =>
        new(
            "GitLab",
            o =>
            {
                // The realm is gitlab.com, not registry.gitlab.com; tokens live five minutes, and of several scopes only the last parameter
                // counts.
                o.SecondHost = true;
                o.SignInByToken("/jwt/auth", "gitlab-ci-token", "glcbt-token", "container_registry");
                o.Auth.RealmOnSecondHost = true;
                o.Auth.TokenLifetime = TimeSpan.FromMinutes(5);
                o.Auth.ScopesHonoured = ScopesHonoured.Last;
                // They expire in the middle of an upload.
                o.Auth.RefuseOnce.Add(RegistryStep.UploadPatch);
                o.Auth.RefuseOnce.Add(RegistryStep.UploadPut);
                o.Content.Referrers = false;
                o.Content.TagsMeanDigests = true;
            },
            "gitlab-ci-token",
            "glcbt-token",
            "group/project/app"
        );

    public static RegistryDialect Quay =>
        new(
            "Quay",
            o =>
            {
                o.SignInByToken("/v2/auth", "team+robot", "quay-secret", "quay.io");
                // `Range: bytes=0-N` in answers to POST and GET, bare in answers to PATCH.
                o.Uploads.RangeWithUnit = true;
                // A mount without `from` is refused, blobs can't be deleted.
                o.Uploads.MountNeedsFrom = true;
                o.Content.DeleteBlobs = false;
            },
            "team+robot",
            "quay-secret"
        );
}

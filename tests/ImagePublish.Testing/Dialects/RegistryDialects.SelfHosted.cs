namespace ImagePublish.Testing;

public static partial class RegistryDialects
{
    private static readonly RegistryStep[] Changing =
    [
        RegistryStep.MountPost,
        RegistryStep.UploadPost,
        RegistryStep.UploadPatch,
        RegistryStep.UploadPut,
        RegistryStep.UploadDelete,
        RegistryStep.ManifestPut,
        RegistryStep.ManifestDelete,
        RegistryStep.BlobDelete,
    ];

    public static RegistryDialect Harbor =>
        new(
            "Harbor",
            o =>
            {
                o.SignInByToken("/service/token", "robot$ci", "harbor-secret", "harbor-registry");
                // A client that sends the cookie back is taken for a browser and asked for a CSRF token.
                o.ResponseHeaders["Set-Cookie"] = "sid=abcdef; Path=/; HttpOnly";
                foreach (var step in Changing)
                    o.Always(step, Error(403, "FORBIDDEN", "CSRF token not found in request"), r => r.Header("Cookie") is not null);
                // An immutable tag is 412; here those that are called release-….
                o.Content.ImmutableTagStatus = 412;
                o.Content.ImmutableTags = tag => tag.StartsWith("release-", StringComparison.Ordinal);
            },
            "robot$ci",
            "harbor-secret"
        );

    public static RegistryDialect Artifactory =>
        new(
            "Artifactory",
            o =>
            {
                // POST at the token endpoint answers 401; GET works.
                o.SignInByToken("/artifactory/api/docker/docker-local/v2/token", "ci", "artifactory-secret", "artifactory.local");
                o.Auth.PostStatus = 401;
                // One Location for the whole upload: of several PATCHes to it only the last one is kept.
                o.Uploads.CheckState = false;
                o.Uploads.ReusedLocationKeepsLastChunkOnly = true;
                o.Content.CheckAccept = true;
            },
            "ci",
            "artifactory-secret"
        );

    public static RegistryDialect ArtifactoryOld =>
        new(
            "Artifactory, old",
            o =>
            {
                Artifactory.Configure(o);
                // POST and PUT alone is 404: it wants a PATCH between them.
                o.Uploads.PutNeedsPatch = true;
            },
            "ci",
            "artifactory-secret"
        );

    public static RegistryDialect Nexus =>
        new(
            "Nexus",
            o =>
            {
                // Its bearer realm is switched on. An index needs its children in the same repository, as everywhere here.
                o.SignInByToken("/v2/token", "ci", "nexus-secret", "nexus.local");
                // Now and then the final PUT is answered 400: the second one, here.
                o.Faults.Add(new Fault(RegistryStep.UploadPut, Error(400, "BLOB_UPLOAD_INVALID", "blob upload invalid")) { Skip = 1 });
                o.Content.Referrers = false;
            },
            "ci",
            "nexus-secret"
        );

    public static RegistryDialect Distribution =>
        new(
            "distribution",
            o =>
            {
                o.SignInByToken("/auth/token", "ci", "distribution-secret", "registry.local");
                // Absolute Locations whose `_state` is new after each PATCH. (Behind a proxy that doesn't tell the scheme they say http:
                // set Uploads.LocationBase to that.) The status of an empty upload is `0-0`, as that of one with one byte.
                o.Uploads.AbsoluteLocations = true;
                o.Uploads.CheckState = true;
                o.Content.RefuseUrls = true;
                o.Content.Referrers = false;
            },
            "ci",
            "distribution-secret"
        );

    public static RegistryDialect Zot =>
        new(
            "zot",
            o =>
            {
                o.Auth.Schemes = AuthSchemes.Basic;
                o.Auth.Users["ci"] = "zot-secret";
                // OCI only, unless it is told otherwise.
                o.Content.RefuseDockerTypes = true;
                // A single POST has to be exactly application/octet-stream.
                o.Always(RegistryStep.UploadPost, Error(415, "UNSUPPORTED", "unsupported media type"), r =>
                    r.Query.Contains("digest=", StringComparison.Ordinal) && r.Header("Content-Type") != "application/octet-stream"
                );
            },
            "ci",
            "zot-secret"
        );

    public static RegistryDialect Gitea =>
        new(
            "Gitea",
            o =>
            {
                // Bearer for all scopes, and `Basic` without a realm beside it; a token is good for whatever its user may do.
                o.SignInByToken("/v2/token", "ci", "gitea-secret", "container_registry");
                o.Auth.Schemes |= AuthSchemes.Basic;
                o.Auth.BareBasic = true;
                o.Auth.ScopesHonoured = ScopesHonoured.Ignored;
                o.Auth.ScopeInChallenge = false;
                o.Auth.RewriteChallenges = challenges =>
                    [.. challenges.Select(c => c.StartsWith("Bearer", StringComparison.Ordinal) ? c + ",scope=\"*\"" : c)];
                // Every PATCH but the first needs a Content-Range.
                o.Uploads.ContentRangeAfterFirst = true;
                o.Content.MaxManifestBytes = 10 << 20;
                // Platforms that are pushed at the same time get in each other's way.
                o.Always(RegistryStep.ManifestPut, OneAtATime());
                o.Content.Referrers = false;
            },
            "ci",
            "gitea-secret"
        );
}

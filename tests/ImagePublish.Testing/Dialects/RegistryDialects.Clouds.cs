using System.Collections.Concurrent;

namespace ImagePublish.Testing;

public static partial class RegistryDialects
{
    private const string AcrUser = "00000000-0000-0000-0000-000000000000";

    public static RegistryDialect Acr =>
        new(
            "ACR",
            o =>
            {
                // An Entra token is exchanged at /oauth2/exchange for a refresh token, which is the password of the user of zeros.
                o.SignInByToken("/oauth2/token", "acr-admin", "acr-secret", "myacr.azurecr.io");
                o.Auth.ExchangeTokens["entra-token"] = AcrUser;
                o.Auth.IdentityTokens["acr-refresh-token"] = AcrUser;
                o.Auth.IdentityTokenUser = AcrUser;
                // POST at the token endpoint may answer 400; GET works.
                o.Auth.PostStatus = 400;
                // A good token is answered 401 the first time at blobs/uploads/.
                o.Auth.RefuseOnce.Add(RegistryStep.UploadPost);
                o.Auth.RefuseOnce.Add(RegistryStep.MountPost);
                o.SecondHost = true;
                o.Content.RedirectBlobs = true;
            },
            AcrUser,
            "acr-refresh-token"
        );

    public static RegistryDialect EcrPrivate =>
        new(
            "ECR private",
            o =>
            {
                // Basic only, with a password of 12 hours.
                o.Auth.Schemes = AuthSchemes.Basic;
                o.Auth.Users["AWS"] = "ecr-password";
                // A repository has to be made before; a push to another one is cut off.
                o.Content.Repositories = new HashSet<string> { "team/app", "team/base", "team/other" };
                o.Content.DisconnectOnUnknownRepository = true;
                // Parts have 5 to 10 MiB, which nobody announces.
                o.Uploads.ChunkMinLength = 5 << 20;
                o.Uploads.HideChunkMinLength = true;
                o.Uploads.ChunkMaxLength = 10 << 20;
                // PATCH answers 201, and Range stays at what the first chunk brought.
                o.Always(RegistryStep.UploadPatch, ChangeStatus(202, 201));
                o.Always(RegistryStep.UploadPatch, StuckRange());
                // A page of more than 1000 tags is an error.
                o.Content.MaxPageSize = 1000;
                o.Content.RefuseLargePages = true;
                o.SecondHost = true;
                o.Content.RedirectBlobs = true;
            },
            "AWS",
            "ecr-password"
        );

    public static RegistryDialect EcrPublic =>
        new(
            "ECR public",
            o =>
            {
                o.SignInByToken("/token/", "AWS", "ecr-public-password", "public.ecr.aws");
                o.Auth.TokenLifetime = TimeSpan.FromHours(12);
                o.Auth.AnonymousPull = true;
                // Uploads can't be asked after, and mounts fail.
                o.Always(RegistryStep.UploadStatus, Error(404, "NOT_FOUND", "not found"));
                o.Always(RegistryStep.MountPost, Error(405, "UNSUPPORTED", "Invalid parameter at 'mount' failed to satisfy constraint"));
                o.Content.Referrers = false;
            },
            "AWS",
            "ecr-public-password"
        );

    public static RegistryDialect GoogleArtifactRegistry =>
        new(
            "Google Artifact Registry",
            o =>
            {
                o.SignInByToken("/v2/token", "oauth2accesstoken", "ya29.token", "europe-docker.pkg.dev");
                o.Auth.PostStatus = 404;
                // No chunked uploads at all: what a broken connection leaves behind is lost.
                o.Uploads.RefuseRanges = true;
                o.Uploads.KeepPartial = false;
                // Lists end at 10,000 entries, without a word.
                o.Content.MaxPageSize = 10_000;
                o.Always(RegistryStep.TagsList, FaultAction.RemoveHeader("Link"), r => !r.Query.Contains("n=", StringComparison.Ordinal));
            },
            "oauth2accesstoken",
            "ya29.token",
            "project/repository/app"
        );

    private static FaultAction StuckRange()
    {
        var first = new ConcurrentDictionary<string, string>(StringComparer.Ordinal);
        return FaultAction.ChangeHeader("Range", (request, value) => value is null ? null : first.GetOrAdd(request.Reference, value));
    }
}

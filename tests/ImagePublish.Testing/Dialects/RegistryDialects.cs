using Microsoft.AspNetCore.Http;

namespace ImagePublish.Testing;

/// <summary>One profile for each dialect that a client must speak.</summary>
public static partial class RegistryDialects
{
    public static IReadOnlyList<RegistryDialect> All { get; } =
    [
        DockerHub,
        Acr,
        EcrPrivate,
        EcrPublic,
        Ghcr,
        GoogleArtifactRegistry,
        Harbor,
        GitLab,
        Quay,
        Artifactory,
        ArtifactoryOld,
        Nexus,
        Distribution,
        Zot,
        Gitea,
    ];

    /// <summary>By <see cref="RegistryDialect.Name"/>, for theories.</summary>
    public static RegistryDialect Named(string name) => All.Single(d => d.Name == name);

    /// <summary>Bearer tokens from the registry's own endpoint at <paramref name="tokenPath"/>, for one user.</summary>
    private static void SignInByToken(this TestRegistryOptions o, string tokenPath, string user, string password, string service)
    {
        o.Auth.Schemes = AuthSchemes.Bearer;
        o.Auth.TokenPath = tokenPath;
        o.Auth.Service = service;
        o.Auth.Users[user] = password;
    }

    private static void Always(
        this TestRegistryOptions o,
        RegistryStep step,
        FaultAction action,
        Func<RecordedRequest, bool>? when = null
    ) => o.Faults.Add(new Fault(step, action) { Times = Fault.Always, When = when });

    private static FaultAction Error(int status, string code, string message) =>
        FaultAction.Status(status, $$"""{"errors":[{"code":"{{code}}","message":"{{message}}"}]}""", "application/json");

    private static FaultAction ChangeStatus(int from, int to) =>
        FaultAction.Change($"says {to} for {from}", (_, response) =>
            response.StatusCode = response.StatusCode == from ? to : response.StatusCode
        );

    /// <summary>500 for all but one of several that are under way at once.</summary>
    private static FaultAction OneAtATime()
    {
        var running = 0;
        return FaultAction.Custom("fails in parallel", async (http, _, next) =>
        {
            try
            {
                if (Interlocked.Increment(ref running) > 1)
                {
                    await Wire.DrainAsync(http);
                    http.Response.StatusCode = StatusCodes.Status500InternalServerError;
                    http.Response.ContentLength = 0;
                    return;
                }

                await next();
                await Task.Delay(50, http.RequestAborted);
            }
            finally
            {
                Interlocked.Decrement(ref running);
            }
        });
    }
}

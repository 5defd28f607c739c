using ImagePublish.Tasks.Tests.Support;

namespace ImagePublish.Tasks.Tests.EndToEnd;

/// <summary>skopeo, which speaks to registries in its own way.</summary>
public static class Skopeo
{
    public static Task<CommandOutput> CopyAsync(
        string source,
        string target,
        CancellationToken cancellationToken,
        params string[] options
    ) =>
        new CommandLine(
            "skopeo",
            ["--insecure-policy", "copy", "--quiet", "--src-tls-verify=false", "--dest-tls-verify=false", .. options, source, target]
        ).SucceedAsync(cancellationToken);

    public static async Task<string> InspectAsync(string reference, CancellationToken cancellationToken, params string[] options) =>
        (
            await new CommandLine(
                "skopeo",
                ["--insecure-policy", "inspect", "--tls-verify=false", .. options, $"docker://{reference}"]
            ).SucceedAsync(cancellationToken)
        ).Output;
}

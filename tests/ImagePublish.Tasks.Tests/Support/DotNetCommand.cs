namespace ImagePublish.Tasks.Tests.Support;

/// <summary>
/// The <c>dotnet</c> that runs these tests, in an environment that holds nothing of theirs: no settings of a test host or of CI, no
/// sign-in.
/// </summary>
public static class DotNetCommand
{
    private static readonly string[] Foreign =
    [
        "MSBUILD",
        "MSBuild",
        "VSTEST",
        "XUNIT",
        "TESTINGPLATFORM",
        "IMAGE_",
        "Image",
        "Container",
        "SDK_CONTAINER",
        "DOCKER_",
        "REGISTRY_",
        "CI",
        "GITHUB_",
        "GITLAB_",
        "TF_BUILD",
        "BUILD_",
        "AZURE",
        "AWS_",
        "GOOGLE_",
        "ACTIONS_",
        "SYSTEM_",
        "IDENTITY_",
        "SOURCE_DATE_EPOCH",
        "NuGetPackageRoot",
        "DOTNET_HOST_PATH",
    ];

    // No process may outlive the tests, and nothing may ask or greet.
    private static readonly Dictionary<string, string?> Own = new()
    {
        // Of a web template's static content: 20 seconds otherwise. A publish reads the old name only.
        ["_BlazorBrotliCompressionLevel"] = "Fastest",
        ["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1",
        ["DOTNET_CLI_USE_MSBUILD_SERVER"] = "0",
        ["DOTNET_CLI_UI_LANGUAGE"] = "en",
        ["DOTNET_CLI_WORKLOAD_UPDATE_NOTIFY_DISABLE"] = "true",
        ["DOTNET_GENERATE_ASPNET_CERTIFICATE"] = "false",
        ["DOTNET_NOLOGO"] = "1",
        // No build runs long enough to gain from a profile of itself, nor does the compiler.
        ["DOTNET_TieredPGO"] = "0",
        ["MSBUILDDISABLENODEREUSE"] = "1",
        ["SharedCompilationId"] = CompilerServer.Id,
        ["UseSharedCompilation"] = "true",
    };

    public static CommandLine Create(string workingDirectory, params IReadOnlyList<string> arguments) =>
        new(Path.Combine(DotNetInstallation.Find().Folder, "dotnet"), arguments)
        {
            WorkingDirectory = workingDirectory,
            Environment = CleanEnvironment(),
        };

    private static Dictionary<string, string?> CleanEnvironment()
    {
        var environment = Environment
            .GetEnvironmentVariables()
            .Keys.Cast<string>()
            .Where(name => Array.Exists(Foreign, prefix => name.StartsWith(prefix, StringComparison.Ordinal)))
            .ToDictionary(name => name, _ => (string?)null);
        foreach (var (name, value) in Own)
            environment[name] = value;
        return environment;
    }
}

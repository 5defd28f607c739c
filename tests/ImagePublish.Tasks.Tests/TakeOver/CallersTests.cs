using System.Text.Json;
using ImagePublish.Tasks.Tests.EndToEnd;
using ImagePublish.Tasks.Tests.Support;

namespace ImagePublish.Tasks.Tests.TakeOver;

/// <summary>
/// The commands of programs that run <c>PublishContainer</c>, as they are in their sources, side by side with the .NET SDK's own target on
/// the same project.
/// </summary>
public sealed class CallersTests(ContainerApp app, Peers peers) : IClassFixture<ContainerApp>
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    private DockerRegistry Registry => app.Registry;

    [Fact]
    public async Task AzdPushesWithItsSignInAndFindsAPort()
    {
        await using var registry = await DockerRegistry.StartAsync(
            new DockerRegistryOptions { UserName = "azd", Password = "pass word" },
            Cancelled
        );
        string[] Command(string repository) =>
            [
                "publish",
                "{project}",
                "-r",
                "linux-x64",
                "-c",
                "Release",
                "/t:PublishContainer",
                $"-p:ContainerRepository={repository}",
                "-p:ContainerImageTag=azd-deploy-1",
                $"-p:ContainerRegistry={registry.Host}",
                "--getProperty:GeneratedContainerConfiguration",
            ];
        Dictionary<string, string?> signIn = new()
        {
            ["DOTNET_CONTAINER_REGISTRY_UNAME"] = "azd",
            ["DOTNET_CONTAINER_REGISTRY_PWORD"] = "pass word",
            ["SDK_CONTAINER_REGISTRY_UNAME"] = "azd",
            ["SDK_CONTAINER_REGISTRY_PWORD"] = "pass word",
        };

        var (ours, sdk) = await BothAsync(Command("shop/ours"), Command("shop/sdk"), signIn);

        Assert.Equal([8080, 6000], PortsAsAzdReadsThem(sdk.Output).OrderDescending());
        Assert.Equal(PortsAsAzdReadsThem(sdk.Output), PortsAsAzdReadsThem(ours.Output));
        Assert.Equal(SettingsOf(sdk.Output), SettingsOf(ours.Output));
        Assert.Equal(1, ContainerApp.PutsOf(registry, "shop/ours", "azd-deploy-1"));
        Assert.Equal(1, ContainerApp.PutsOf(registry, "shop/sdk", "azd-deploy-1"));
    }

    [Fact]
    public async Task AzdWithoutARegistryGetsAnImageInDocker()
    {
        string[] Command(string repository) =>
            [
                "publish",
                "{project}",
                "-r",
                "linux-x64",
                "-c",
                "Release",
                "/t:PublishContainer",
                $"-p:ContainerRepository={repository}",
                "-p:ContainerImageTag=azd-local",
                "-p:ContainerEngine=docker",
                "-p:PublishProfile=DefaultContainer",
                "--getProperty:GeneratedContainerConfiguration",
            ];

        var (ours, sdk) = await BothAsync(Command("azd-local/ours"), Command("azd-local/sdk"), await DockerVariablesAsync());

        Assert.Equal(SettingsOf(sdk.Output), SettingsOf(ours.Output));
        await AssertSameInDockerAsync("azd-local/sdk:azd-local", "azd-local/ours:azd-local");
    }

    [Fact]
    public async Task AspireFindsItsImageInDocker()
    {
        string[] Command(string repository) =>
            [
                "publish",
                "{project}",
                "--configuration",
                "Release",
                "/t:PublishContainer",
                $"/p:ContainerRepository={repository}",
                "/p:ContainerImageTag=aspire-deploy-20261128",
                "/p:LocalRegistry=\"Docker\"",
                "/p:ContainerImageFormat=\"Docker\"",
                "/p:RuntimeIdentifier=linux-x64",
                "/p:ContainerRuntimeIdentifier=linux-x64",
            ];

        var (ours, _) = await BothAsync(Command("aspire/ours"), Command("aspire/sdk"), await DockerVariablesAsync());

        Assert.Contains("PublishContainer is handled by ImagePublish.Tasks", ours.Output, StringComparison.Ordinal);
        await AssertSameInDockerAsync("aspire/sdk:aspire-deploy-20261128", "aspire/ours:aspire-deploy-20261128");
    }

    [Fact]
    public async Task AspireGetsAnArchiveOfSeveralPlatforms()
    {
        string[] Command(string archive) =>
            [
                "publish",
                "{project}",
                "--configuration",
                "Release",
                "/t:PublishContainer",
                "/p:ContainerRepository=aspire-archive",
                "/p:ContainerImageTag=2",
                $"/p:ContainerArchiveOutputPath={archive}",
                "/p:ContainerImageFormat=\"OCI\"",
                "/p:RuntimeIdentifiers=\"linux-x64;linux-arm64\"",
                "/p:ContainerRuntimeIdentifiers=\"linux-x64;linux-arm64\"",
            ];
        var (ourArchive, sdkArchive) = (app.Workspace["ours.tar"], app.Workspace["sdk.tar"]);

        await BothAsync(Command(ourArchive), Command(sdkArchive), []);

        Assert.Equal(["amd64", "arm64"], await ArchitecturesAsync(sdkArchive));
        Assert.Equal(["amd64", "arm64"], await ArchitecturesAsync(ourArchive));
    }

    [Fact]
    public async Task VisualStudioCodeFindsTheAppThatItDebugs()
    {
        string[] query =
        [
            "build",
            "{project}",
            "--no-restore",
            "-target:ComputeContainerConfig",
            "-getProperty:AssemblyName,TargetFramework,TargetFrameworks,OutputPath,EnableSdkContainerSupport,"
                + "ContainerWorkingDirectory,ContainerRepository",
        ];
        string[] command =
        [
            "publish",
            "--os",
            "linux",
            "--arch",
            "x64",
            "/t:PublishContainer",
            "--configuration",
            "Debug",
            "-p:ContainerImageTag=dev",
            "-p:LocalRegistry=Docker",
            "{project}",
        ];
        var docker = await peers.DockerAsync();
        await app.Sdk.RestoreAsync(Cancelled);
        await app.Ours.RestoreAsync(Cancelled);

        var sdk = (await app.RunAsync(app.Sdk, query)).EnsureSuccess();
        var ours = (await app.RunAsync(app.Ours, query)).EnsureSuccess();
        var named = (await app.RunAsync(app.Ours, [.. query, "-p:ImageRepository=Acme/Shop"])).EnsureSuccess();
        var published = await BuildServers.SucceedAsync(
            app.Command(app.Ours, command) with
            {
                Environment = With(app.Command(app.Ours), await DockerVariablesAsync()),
            },
            Cancelled
        );

        Assert.Equal(sdk.Output, ours.Output);
        Assert.Contains("\"ContainerRepository\": \"acme/shop\"", named.Output, StringComparison.Ordinal);
        using var answer = JsonDocument.Parse(ours.Output);
        var properties = answer.RootElement.GetProperty("Properties");
        var (folder, repository) = (
            properties.GetProperty("ContainerWorkingDirectory").GetString(),
            properties.GetProperty("ContainerRepository").GetString()
        );
        var run = await docker.RunAsync(
            Cancelled,
            "--entrypoint",
            "/bin/sh",
            $"{repository}:dev",
            "-c",
            $"ls {folder}/{ContainerApp.AssemblyName}.dll"
        );
        Assert.True(run.ExitCode == 0, $"{published}\n{run}");
    }

    [Fact]
    public async Task AspirateKnowsTheCodeOfARefusedSignIn()
    {
        await using var closed = await DockerRegistry.StartAsync(
            new DockerRegistryOptions { UserName = "ada", Password = "pw" },
            Cancelled
        );
        string[] Command(string registry, string repository) =>
            [
                "publish",
                "{project}",
                "-t:PublishContainer",
                "--verbosity",
                "quiet",
                "--nologo",
                "-r",
                "linux-x64",
                $"-p:ContainerRegistry={registry}",
                $"-p:ContainerRepository={repository}",
                $"-p:ContainerImageName={repository}",
                "-p:ContainerImageTags=\"one;two\"",
            ];

        var (ours, _) = await BothAsync(Command(Registry.Host, "aspirate/ours"), Command(Registry.Host, "aspirate/sdk"), []);
        Dictionary<string, string?> wrong = new()
        {
            ["DOTNET_CONTAINER_REGISTRY_UNAME"] = "ada",
            ["DOTNET_CONTAINER_REGISTRY_PWORD"] = "wrong",
        };
        var (refused, refusedSdk) = await RunBothAsync(Command(closed.Host, "aspirate/ours"), Command(closed.Host, "aspirate/sdk"), wrong);

        Assert.DoesNotContain("error", ours.All, StringComparison.OrdinalIgnoreCase);
        Assert.Equal(["one", "two"], await Registry.TagsAsync("aspirate/sdk", Cancelled));
        Assert.Equal(["one", "two"], await Registry.TagsAsync("aspirate/ours", Cancelled));
        Assert.All(["one", "two"], tag => Assert.Equal(1, ContainerApp.PutsOf(Registry, "aspirate/ours", tag)));
        Assert.Equal(await SettingsInRegistryAsync("aspirate/sdk", "one"), await SettingsInRegistryAsync("aspirate/ours", "one"));
        Assert.Contains("CONTAINER1016", refusedSdk.All, StringComparison.Ordinal);
        Assert.Matches("error IMG5001: .*CONTAINER1016", refused.All);
        Assert.Equal(refusedSdk.ExitCode, refused.ExitCode);
    }

    [Fact]
    public async Task TektonReadsTheDigestAndSetsTheBaseInATarget()
    {
        var other = await SmallBase.PushToAsync(Registry, "take-over/tekton-base:2", Cancelled);
        foreach (var project in new[] { app.Ours, app.Sdk })
        {
            project.Element(
                $"""
                <Target Name="SetBase" BeforeTargets="ComputeContainerBaseImage" Condition="'$(Tekton)' == 'true'">
                  <PropertyGroup><ContainerBaseImage>{other}</ContainerBaseImage></PropertyGroup>
                </Target>
                """
            );
        }

        string[] Command(string repository, string file) =>
            [
                "publish",
                "{project}",
                "/t:PublishContainer",
                $"-p:ContainerImageTag=tekton",
                $"-p:ContainerRegistry={Registry.Host}",
                $"-p:ContainerRepository={repository}",
                "-p:Tekton=true",
                "--getProperty:GeneratedContainerDigest",
                $"--getResultOutputFile:{app.Workspace[file]}",
            ];

        await BothAsync(Command("tekton/ours", "ours.digest"), Command("tekton/sdk", "sdk.digest"), []);

        foreach (var name in new[] { "ours", "sdk" })
        {
            var manifest = await Registry.ManifestAsync($"tekton/{name}", "tekton", Cancelled);
            var config = await Registry.ConfigAsync($"tekton/{name}", "tekton", Cancelled);
            Assert.Equal(manifest.Digest, (await File.ReadAllTextAsync(app.Workspace[$"{name}.digest"], Cancelled)).Trim());
            Assert.Equal(
                other,
                config.GetProperty("config").GetProperty("Labels").GetProperty("org.opencontainers.image.base.name").GetString()
            );
            Assert.Equal(1, ContainerApp.PutsOf(Registry, $"tekton/{name}", "tekton"));
        }
    }

    [Fact]
    public async Task TheOutputsAreTheSdks()
    {
        string[] Command(string repository) =>
            [
                "publish",
                "{project}",
                "-t:PublishContainer",
                $"-p:ContainerRegistry={Registry.Host}",
                $"-p:ContainerRepository={repository}",
                "-getProperty:GeneratedContainerManifest,GeneratedContainerConfiguration,GeneratedContainerDigest,"
                    + "GeneratedContainerMediaType,GeneratedArchiveOutputPath,GeneratedImageIndex",
                "-getItem:GeneratedContainer,GeneratedContainerName",
                "-getTargetResult:PublishContainer",
            ];

        var (ours, sdk) = await BothAsync(Command("outputs/ours"), Command("outputs/sdk"), []);

        using var expected = JsonDocument.Parse(sdk.Output);
        using var actual = JsonDocument.Parse(ours.Output);
        var properties = actual.RootElement.GetProperty("Properties");
        string Value(string name) => properties.GetProperty(name).GetString()!;
        Assert.Equal(Filled(expected), Filled(actual));
        Assert.Equal(["latest"], await Registry.TagsAsync("outputs/ours", Cancelled));
        var manifest = await Registry.ManifestAsync("outputs/ours", "latest", Cancelled);
        Assert.Equal(manifest.Digest, Value("GeneratedContainerDigest"));
        Assert.Equal(manifest.MediaType, Value("GeneratedContainerMediaType"));
        Assert.Equal(manifest.Json.GetRawText(), Value("GeneratedContainerManifest"));
        Assert.Equal(
            (await Registry.ConfigAsync("outputs/ours", "latest", Cancelled)).GetRawText(),
            Value("GeneratedContainerConfiguration")
        );
        var items = actual.RootElement.GetProperty("Items");
        var container = Assert.Single(items.GetProperty("GeneratedContainer").EnumerateArray());
        var result = Assert.Single(
            actual.RootElement.GetProperty("TargetResults").GetProperty("PublishContainer").GetProperty("Items").EnumerateArray()
        );
        foreach (
            var (metadata, property) in new[]
            {
                ("Manifest", "GeneratedContainerManifest"),
                ("Configuration", "GeneratedContainerConfiguration"),
                ("ManifestDigest", "GeneratedContainerDigest"),
                ("ManifestMediaType", "GeneratedContainerMediaType"),
            }
        )
        {
            Assert.Equal(Value(property), container.GetProperty(metadata).GetString());
            Assert.Equal(Value(property), result.GetProperty(metadata).GetString());
        }

        Assert.Equal(
            $"{Registry.Host}/outputs/ours:latest",
            Assert.Single(items.GetProperty("GeneratedContainerName").EnumerateArray()).GetProperty("Identity").GetString()
        );
    }

    private static IEnumerable<string> Filled(JsonDocument answer) =>
        answer
            .RootElement.GetProperty("Properties")
            .EnumerateObject()
            .Where(property => property.Value.GetString() is { Length: > 0 })
            .Select(property => property.Name);

    // azd takes stdout for JSON from its first character on.
    private static IEnumerable<int> PortsAsAzdReadsThem(string output)
    {
        Assert.StartsWith("{", output, StringComparison.Ordinal);
        using var configuration = JsonDocument.Parse(output);
        var ports = configuration.RootElement.GetProperty("config").GetProperty("ExposedPorts");
        return
        [
            .. ports
                .EnumerateObject()
                .Select(port => int.Parse(port.Name.Split('/')[0], System.Globalization.CultureInfo.InvariantCulture))
                .Order(),
        ];
    }

    private static string SettingsOf(string output)
    {
        using var configuration = JsonDocument.Parse(output);
        return ContainerApp.Settings(configuration.RootElement.GetProperty("config"));
    }

    private static async Task<IEnumerable<string>> ArchitecturesAsync(string archive)
    {
        var index = await new CommandLine("tar", "--extract", "--to-stdout", "--file", archive, "index.json").SucceedAsync(Cancelled);
        using var outer = JsonDocument.Parse(index.Output);
        var inner = outer.RootElement.GetProperty("manifests")[0].GetProperty("digest").GetString()!.Replace(':', '/');
        var platforms = await new CommandLine("tar", "--extract", "--to-stdout", "--file", archive, $"blobs/{inner}").SucceedAsync(
            Cancelled
        );
        using var manifests = JsonDocument.Parse(platforms.Output);
        return
        [
            .. manifests
                .RootElement.GetProperty("manifests")
                .EnumerateArray()
                .Select(manifest => manifest.GetProperty("platform").GetProperty("architecture").GetString()!)
                .Order(StringComparer.Ordinal),
        ];
    }

    private static Dictionary<string, string?> With(CommandLine command, Dictionary<string, string?> variables) =>
        new([.. command.Environment, .. variables]);

    private async Task<(CommandOutput Ours, CommandOutput Sdk)> BothAsync(
        string[] ours,
        string[] sdk,
        Dictionary<string, string?> variables
    )
    {
        var both = await RunBothAsync(ours, sdk, variables);
        return (both.Ours.EnsureSuccess(), both.Sdk.EnsureSuccess());
    }

    // Both at once: they share neither a folder nor a repository.
    private async Task<(CommandOutput Ours, CommandOutput Sdk)> RunBothAsync(
        string[] ours,
        string[] sdk,
        Dictionary<string, string?> variables
    )
    {
        var (ourCommand, sdkCommand) = (app.Command(app.Ours, ours), app.Command(app.Sdk, sdk));
        var ourRun = BuildServers.RunAsync(ourCommand with { Environment = With(ourCommand, variables) }, Cancelled);
        var sdkRun = BuildServers.RunAsync(sdkCommand with { Environment = With(sdkCommand, variables) }, Cancelled);
        await Task.WhenAll(ourRun, sdkRun);
        return (await ourRun, await sdkRun);
    }

    private async Task<Dictionary<string, string?>> DockerVariablesAsync() => new() { ["DOCKER_HOST"] = (await peers.DockerAsync()).Host };

    private async Task AssertSameInDockerAsync(string expected, string actual)
    {
        var docker = await peers.DockerAsync();
        var (sdk, ours) = (await docker.InspectAsync(expected, Cancelled), await docker.InspectAsync(actual, Cancelled));
        Assert.Equal(ContainerApp.Settings(sdk.GetProperty("Config")), ContainerApp.Settings(ours.GetProperty("Config")));
        Assert.Equal(sdk.GetProperty("Architecture").GetString(), ours.GetProperty("Architecture").GetString());
    }

    private async Task<string> SettingsInRegistryAsync(string repository, string tag) =>
        ContainerApp.Settings((await Registry.ConfigAsync(repository, tag, Cancelled)).GetProperty("config"));
}

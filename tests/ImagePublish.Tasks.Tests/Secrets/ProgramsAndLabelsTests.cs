using ImagePublish.Tasks.Tests.EndToEnd;
using ImagePublish.Tasks.Tests.Support;

namespace ImagePublish.Tasks.Tests.Secrets;

/// <summary>What a publish runs, what that gets to see, and what the image's labels show.</summary>
public sealed class ProgramsAndLabelsTests(Peers peers)
{
    private const string Secret = "canary-of-a-password";
    private const string Repository = "security/labels";

    private static readonly string[] Own = ["git", "podman", "docker", "apt-get"];
    private static readonly string[] Variables =
    [
        "IMAGE_REGISTRY_PASSWORD",
        "IMAGE_CACHE_KEY",
        "GITHUB_TOKEN",
        "CI_JOB_TOKEN",
        "CI_REGISTRY_PASSWORD",
        "SYSTEM_ACCESSTOKEN",
        "NuGetPackageSourceCredentials_acme",
        "ACME_SECRET",
    ];

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    [ReliabilityCase(
        "Security",
        "a publish whose project folder contains programs, with passwords in the environment and in addresses",
        "git and podman from the PATH run and see no secret; labels and annotations have no password"
    )]
    public async Task ProgramsOfTheProjectDoNotRunAndSecretsGoNowhere()
    {
        var registry = await peers.RegistryAsync();
        using var workspace = await peers.WorkspaceAsync();
        using var bin = new TemporaryFolder();
        var project = workspace
            .Empty("App")
            .WithImagePublish()
            .Property("OutputType", "Exe")
            .Content("Program.cs", "System.Console.WriteLine();")
            .Content(".git/HEAD", "ref: refs/heads/main\n")
            .Property("RepositoryUrl", $"ssh://ci:{Secret}@git.example.com/acme/app.git?token={Secret}")
            .Property("PackageProjectUrl", $"https://ci:{Secret} ä%7E@example.com/app")
            .Property("ContainerDocumentationUrl", $"https://docs.example.com/app?key={Secret}#{Secret}");
        foreach (var name in Own)
            Script(Path.Combine(project.Folder, name), $"touch '{bin["ran"]}'\nexit 1");
        Script(bin["git"], $"env > '{bin["git.env"]}'\nprintf '%s\\n1772600000\\nHEAD -> main\\n' {new string('a', 40)}");
        Script(bin["podman"], $"env > '{bin["podman.env"]}'\ncat > /dev/null\necho loaded");
        var command = project.Command(
            "publish",
            [.. Switches.Destination(registry, Repository), "-p:ImageBase=scratch", "-p:ImageDefaultPackages=false", "-p:ImageLoad=podman"]
        );
        var environment = new Dictionary<string, string?>(command.Environment)
        {
            ["PATH"] = $":.:bin:{bin.Path}:{Environment.GetEnvironmentVariable("PATH")}",
        };
        foreach (var variable in Variables)
            environment[variable] = $"{Secret}-that-has-32-characters-at-least";

        var build = (await project.RunAsync(command with { Environment = environment }, Cancelled)).EnsureSuccess();

        Assert.False(File.Exists(bin["ran"]));
        foreach (var file in new[] { "git.env", "podman.env" })
        {
            var seen = await File.ReadAllLinesAsync(bin[file], Cancelled);
            Assert.DoesNotContain(seen, line => line.Contains(Secret, StringComparison.Ordinal));
            Assert.All(seen.Single(line => line.StartsWith("PATH=", StringComparison.Ordinal))["PATH=".Length..].Split(':'), entry =>
                Assert.True(Path.IsPathFullyQualified(entry), entry)
            );
        }

        var config = await registry.ConfigAsync(Repository, "latest", Cancelled);
        var labels = config.GetProperty("config").GetProperty("Labels");
        Assert.Equal("ssh://git.example.com/acme/app", labels.GetProperty("org.opencontainers.image.source").GetString());
        Assert.Equal("https://example.com/app", labels.GetProperty("org.opencontainers.image.url").GetString());
        Assert.Equal("https://docs.example.com/app", labels.GetProperty("org.opencontainers.image.documentation").GetString());
        Assert.Equal(new string('a', 40), labels.GetProperty("org.opencontainers.image.revision").GetString());
        Assert.DoesNotContain(
            "canary",
            config.GetRawText() + (await registry.ManifestAsync(Repository, "latest", Cancelled)).Json.GetRawText(),
            StringComparison.Ordinal
        );
        Assert.DoesNotContain(Secret, build.Command.All, StringComparison.Ordinal);
    }

    private static void Script(string file, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, $"#!/bin/sh\n{text}\n");
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }
}

using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using ImagePublish.Tasks.Tests.Fixtures;
using ImagePublish.Testing;

namespace ImagePublish.Tasks.Tests.Documentation;

/// <summary>The README's tour, typed as it stands: only the registry, the package's version and the port are others here.</summary>
public sealed partial class TourTests(Peers peers)
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task EveryCommandOfTheTourDoesWhatThePageShows()
    {
        var registry = await peers.RegistryAsync();
        var docker = await peers.DockerAsync();
        var package = await peers.PackageAsync();
        using var workspace = await peers.WorkspaceAsync();
        var port = Ports.Free();
        var here = new Dictionary<string, string>
        {
            ["ghcr.io"] = registry.Host,
            ["dotnet add package ImagePublish.Tasks"] = $"dotnet add package ImagePublish.Tasks --version {package.Version}",
            ["docker run --rm -d -p 8080:8080"] = $"/usr/bin/docker run --rm -d --network=host -e ASPNETCORE_HTTP_PORTS={port}",
            ["localhost:8080"] = $"localhost:{port}",
        };
        var environment = Environment(workspace, docker, registry);
        var folder = workspace.Path;
        foreach (var (commands, expected) in Blocks())
        {
            var run = new CommandLine("bash", "-e", "-c", Replace(commands, here)) { WorkingDirectory = folder, Environment = environment };
            var output = (await run.SucceedAsync(Cancelled)).Output;

            Assert.Matches(string.Join(@"(?s:.*?)", Replace(expected, here).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(Pattern)), output);
            folder = ChangedFolder().Matches(commands).Aggregate(folder, (path, change) => Path.Combine(path, change.Groups[1].Value));
        }

        Assert.True(File.Exists(Path.Combine(folder, "report.html")));
    }

    private static Dictionary<string, string?> Environment(TestWorkspace workspace, DockerEngine docker, DockerRegistry registry)
    {
        var dotnet = workspace.DotNet("--version");
        return new Dictionary<string, string?>(dotnet.Environment)
        {
            ["PATH"] = $"{Path.GetDirectoryName(dotnet.Program)}:{System.Environment.GetEnvironmentVariable("PATH")}",
            ["DOCKER_HOST"] = docker.Host,
            // Microsoft's base is out of reach.
            ["ImageBase"] = $"{registry.Host}/dotnet/aspnet:10.0",
        };
    }

    private static IEnumerable<(string Commands, string Expected)> Blocks()
    {
        var readme = File.ReadAllText(Path.Combine(PackedPackage.RepositoryRoot, "README.md")).ReplaceLineEndings("\n");
        var tour = readme[readme.IndexOf("<!-- tour -->", StringComparison.Ordinal)..readme.IndexOf("<!-- /tour -->", StringComparison.Ordinal)];
        return Block().Matches(tour).Select(block => (block.Groups["commands"].Value, block.Groups["expected"].Value));
    }

    private static string Replace(string text, Dictionary<string, string> replacements) =>
        replacements.Aggregate(text, (current, one) => current.Replace(one.Key, one.Value, StringComparison.Ordinal));

    // What every machine and every day has differently: digests, sizes and times.
    private static string Pattern(string line) => Varying().Replace(Regex.Escape(line).Replace(@"\ ", " ", StringComparison.Ordinal), match => match.Groups["digest"].Success ? "sha256:[0-9a-f]{64}" : match.Groups["size"].Success ? @"[\d.]+ [kMG]?B" : @"[\d.]+ (s|min)");

    [GeneratedRegex(@"```shell\n(?<commands>.*?)```\n\n```\n(?<expected>.*?)```", RegexOptions.Singleline)]
    private static partial Regex Block();

    [GeneratedRegex(@"^cd (\S+)$", RegexOptions.Multiline)]
    private static partial Regex ChangedFolder();

    [GeneratedRegex(@"(?<digest>sha256:[0-9a-f]{64})|(?<size>\d+(\\\.\d+)? [kMG]?B\b)|(?<time>\d+(\\\.\d+)? (s|min)\b)")]
    private static partial Regex Varying();
}

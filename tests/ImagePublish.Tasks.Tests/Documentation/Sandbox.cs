using System.Text.RegularExpressions;
using ImagePublish.Tasks.Tests.Support;
using ImagePublish.Testing;

namespace ImagePublish.Tasks.Tests.Documentation;

/// <summary>
/// A folder in which the commands of a page are typed as they stand. Only the names of registries, the package's version and the port are
/// others, <c>docker run -p</c> uses the host's network, since the tests' Docker has no other, and a cluster is only told.
/// </summary>
public sealed partial class Sandbox(TestWorkspace workspace, string start, DockerEngine docker) : IDisposable
{
    /// <summary>
    /// What a command leaves to run in the foreground must say something, a web app answer; then it is stopped, as by Ctrl+C, and must end
    /// well.
    /// </summary>
    private const string Prelude = """
        set -euo pipefail
        docker() {
          if [[ "$*" == "run --rm -p 8080:8080 "* ]]; then
            local id=$(/usr/bin/docker run --rm -d --network=host -e ASPNETCORE_HTTP_PORTS=$PORT "${@:5}")
            curl -s --retry 40 --retry-delay 1 --retry-connrefused localhost:$PORT
            /usr/bin/docker kill $id >/dev/null
          elif [[ "$*" == "run --rm -d -p 8080:8080 "* ]]; then
            /usr/bin/docker run --rm -d --network=host -e ASPNETCORE_HTTP_PORTS=$PORT "${@:6}"
          elif [[ "$*" == "run --rm "* ]]; then
            local id=$(/usr/bin/docker run -d --network=host "${@:3}")
            until [[ -n $(/usr/bin/docker logs $id 2>&1) ]]; do sleep 0.1; done
            /usr/bin/docker stop $id >/dev/null
            /usr/bin/docker logs $id 2>&1
            local code=$(/usr/bin/docker wait $id)
            /usr/bin/docker rm $id >/dev/null
            return $code
          else
            /usr/bin/docker "$@"
          fi
        }
        kubectl() { echo "kubectl $*"; }

        """;

    private readonly Dictionary<string, string?> environment = Environment(workspace, docker);
    private readonly List<(string Shown, string Here)> names = [];
    private string folder = start;

    /// <summary>Where the next command is typed.</summary>
    public string Folder => folder;

    public string UserData => workspace.UserData;

    /// <summary>What is called otherwise here than on the page.</summary>
    public Sandbox Call(string shown, string here)
    {
        names.Add((shown, here));
        return this;
    }

    public Sandbox With(string variable, string? value)
    {
        environment[variable] = Here(value ?? "");
        return this;
    }

    /// <summary>The page's text as it is typed here.</summary>
    public string Here(string text) =>
        names.Aggregate(text, (current, name) => current.Replace(name.Shown, name.Here, StringComparison.Ordinal));

    /// <summary>Types a block of commands; the first that fails ends it.</summary>
    public async Task<string> TypeAsync(
        string commands,
        CancellationToken cancellationToken,
        IReadOnlyDictionary<string, string>? more = null
    )
    {
        var typed = Here(commands);
        var all = new Dictionary<string, string?>(environment) { ["PORT"] = $"{Ports.Free()}" };
        foreach (var (name, value) in more ?? new Dictionary<string, string>())
            all[name] = Here(value);
        var run = new CommandLine("bash", "-c", Prelude + typed) { WorkingDirectory = folder, Environment = all };
        // A server has no standard input.
        var output = typed.Contains(" < ", StringComparison.Ordinal)
            ? await run.SucceedAsync(cancellationToken)
            : await BuildServers.SucceedAsync(run, cancellationToken);
        folder = ChangedFolder()
            .Matches(commands)
            .Aggregate(folder, (path, change) => Path.GetFullPath(Path.Combine(path, change.Groups[1].Value)));
        return output.Output;
    }

    public void Dispose() => workspace.Dispose();

    private static Dictionary<string, string?> Environment(TestWorkspace workspace, DockerEngine docker)
    {
        var dotnet = workspace.DotNet("--version");
        return new Dictionary<string, string?>(dotnet.Environment)
        {
            ["PATH"] = $"{Path.GetDirectoryName(dotnet.Program)}:{System.Environment.GetEnvironmentVariable("PATH")}",
            ["DOCKER_HOST"] = docker.Host,
        };
    }

    [GeneratedRegex(@"^cd (\S+)$", RegexOptions.Multiline)]
    private static partial Regex ChangedFolder();
}

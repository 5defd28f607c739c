using ImagePublish.Commands;
using ImagePublish.Destinations;
using ImagePublish.Images;
using ImagePublish.Oci;
using ImagePublish.Publishing;

namespace ImagePublish.Reporting;

/// <summary>
/// What to type next with an image. Only ports, digests and names go into a command, and what a shell could take for more than a word is
/// quoted.
/// </summary>
internal static class NextCommands
{
    private const string PlainCharacters = "@%+=:,./_-…";

    public static IEnumerable<(string Title, string Text)> Suggest(PublishResult result) =>
        Suggest(result.Deliveries[0], result.Root.Descriptor.Digest, ExposedPort.Read(result.Image.Config.Config?.ExposedPorts));

    public static IEnumerable<(string Title, string Text)> Suggest(IndexResult result) =>
        Suggest(result.Deliveries[0], result.Index.Descriptor.Digest, []);

    /// <param name="engine">Where the image was loaded; null for Docker, which pulls what it lacks.</param>
    public static string Run(string name, IReadOnlyList<ExposedPort> ports, EngineChoice? engine = null)
    {
        var app = Quoted(name.Split('/')[^1].Split(':', '@')[0]);
        return engine switch
        {
            // By default Kubernetes pulls what is tagged 'latest', also where it is there.
            { IsKubernetes: true } => $"kubectl run {app} --image={Quoted(name)} --image-pull-policy=Never{FirstPort(ports)}",
            { Program: EngineChoice.Containerd } =>
                $"ctr {Namespace(engine)}run --rm --net-host {Quoted(ContainerdClient.WholeNameOf(name))} {app}",
            { Program: EngineChoice.Nerdctl } => $"nerdctl {Namespace(engine)}{RunArguments(name, ports)}",
            { Program: EngineChoice.Podman } => $"podman {RunArguments(name, ports)}",
            _ => $"docker {RunArguments(name, ports)}",
        };
    }

    private static string RunArguments(string name, IReadOnlyList<ExposedPort> ports) =>
        $"run --rm{string.Concat(ports.Select(port => $" -p {port.Number}:{port.Number}"))} {Quoted(name)}";

    private static string Namespace(EngineChoice engine) => engine.Scope is { } scope ? $"--namespace {Quoted(scope)} " : "";

    private static string FirstPort(IReadOnlyList<ExposedPort> ports) => ports is [var port, ..] ? $" --port={port.Number}" : "";

    private static IEnumerable<(string Title, string Text)> Suggest(
        DestinationResult delivery,
        Digest digest,
        IReadOnlyList<ExposedPort> ports
    )
    {
        var tagged = delivery.Tags is [var tag, ..] ? $"{delivery.Name}:{tag}" : $"{delivery.Name}@{digest}";
        var pinned = $"{delivery.Name}@{digest}";
        yield return ("Run it", Run(tagged, ports));
        if (delivery.Repository is null)
        {
            yield return ("Push it", $"dotnet msbuild -t:CopyImage -p:ImageSource={Quoted(tagged)} -p:ImageRegistry=…");
            yield break;
        }

        var app = Quoted(delivery.Repository.Name.Split('/')[^1]);
        yield return ("Pull exactly this image", $"docker pull {Quoted(pinned)}");
        yield return ("Deploy it to Kubernetes", $"kubectl create deployment {app} --image={Quoted(pinned)}{FirstPort(ports)}");
        yield return ("Update a deployment", $"kubectl set image deployment/{app} {app}={Quoted(pinned)}");
        yield return ("Look at it again", $"dotnet msbuild -t:InspectImage -p:ImageSource={Quoted(tagged)}");
    }

    // Names have a grammar without anything else; a name that gets here by another way is still one word.
    private static string Quoted(string word)
    {
        var line = Common.Text.OneLine(word);
        return line.All(character => char.IsAsciiLetterOrDigit(character) || PlainCharacters.Contains(character, StringComparison.Ordinal))
            ? line
            : $"'{line.Replace("'", "'\\''", StringComparison.Ordinal)}'";
    }
}

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
        Suggest(result.Deliveries[0], result.Image.Digest, ExposedPort.Read(result.Image.Config.Config?.ExposedPorts));

    public static IEnumerable<(string Title, string Text)> Suggest(IndexResult result) =>
        Suggest(result.Deliveries[0], result.Index.Descriptor.Digest, []);

    public static string Run(string name, IReadOnlyList<ExposedPort> ports, string engine = "docker") =>
        $"{engine} run --rm{string.Concat(ports.Select(port => $" -p {port.Number}:{port.Number}"))} {Quoted(name)}";

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
        yield return (
            "Deploy it to Kubernetes",
            $"kubectl create deployment {app} --image={Quoted(pinned)}{(ports is [var port, ..] ? $" --port={port.Number}" : "")}"
        );
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

using ImagePublish.Oci;
using ImagePublish.Publishing;

namespace ImagePublish.Reporting;

/// <summary>What to type next with an image.</summary>
internal static class NextCommands
{
    /// <summary>Commands for an image, the likeliest first.</summary>
    /// <param name="result">The image.</param>
    /// <returns>What each does, and the command.</returns>
    public static IEnumerable<(string Title, string Text)> Of(PublishResult result) => Of(result.Deliveries[0], result.Image.Digest, result.Image.Config.Config?.ExposedPorts ?? []);

    /// <summary>Commands for an index, the likeliest first.</summary>
    /// <param name="result">The index.</param>
    /// <returns>What each does, and the command.</returns>
    public static IEnumerable<(string Title, string Text)> Of(IndexResult result) => Of(result.Deliveries[0], result.Index.Descriptor.Digest, []);

    /// <summary>Runs an image.</summary>
    /// <param name="name">The image's name.</param>
    /// <param name="ports">Its ports, <c>8080/tcp</c>.</param>
    /// <param name="engine">The program that runs it.</param>
    /// <returns>The command.</returns>
    public static string Run(string name, IReadOnlyList<string> ports, string engine = "docker") => $"{engine} run --rm{string.Concat(ports.Select(Number).Select(port => $" -p {port}:{port}"))} {name}";

    private static IEnumerable<(string Title, string Text)> Of(Delivery delivery, Digest digest, IReadOnlyList<string> ports)
    {
        var tagged = delivery.Tags is [var tag, ..] ? $"{delivery.Name}:{tag}" : $"{delivery.Name}@{digest}";
        var pinned = $"{delivery.Name}@{digest}";
        yield return ("Run it", Run(tagged, ports));
        if (delivery.Repository is null)
        {
            yield return ("Push it", $"dotnet msbuild -t:CopyImage -p:ImageSource={tagged} -p:ImageRegistry=…");
            yield break;
        }

        var app = delivery.Repository.Name.Split('/')[^1];
        yield return ("Pull exactly this image", $"docker pull {pinned}");
        yield return ("Deploy it to Kubernetes", $"kubectl create deployment {app} --image={pinned}{(ports is [var port, ..] ? $" --port={Number(port)}" : "")}");
        yield return ("Update a deployment", $"kubectl set image deployment/{app} {app}={pinned}");
        yield return ("Look at it again", $"dotnet msbuild -t:InspectImage -p:ImageSource={tagged}");
    }

    private static string Number(string port) => port.Split('/')[0];
}

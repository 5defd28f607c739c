using System.Formats.Tar;
using System.Text;
using System.Text.Json.Nodes;

namespace ImagePublish.Tasks.Tests.Support;

/// <summary>
/// An image that others take files and layers from: two layers, of which the second changes and removes what the first has, with owners,
/// modes, symbolic and hard links. For amd64 and arm64.
/// </summary>
public static class ToolsImage
{
    // Kind, mode, owner, path, and a text or a link's target.
    private static readonly string[] Lower =
    [
        "d 755 0:0 usr",
        "d 755 0:0 usr/bin",
        "f 4755 0:0 usr/bin/tool #!/bin/sh",
        "l 777 0:0 usr/bin/alias tool",
        "d 755 0:0 opt",
        "d 750 7:8 opt/agent",
        "f 640 7:8 opt/agent/config old",
        "f 600 7:8 opt/agent/gone x",
        "f 644 0:0 opt/agent/one twice",
        "h 644 0:0 opt/agent/two opt/agent/one",
        "l 777 7:8 opt/agent/link config",
        "d 700 1654:50 opt/agent/private",
        "f 600 1654:50 opt/agent/private/key secret",
        "l 777 0:0 opt/current agent",
    ];

    private static readonly string[] Upper = ["f 600 0:0 opt/agent/.wh.gone", "f 640 7:8 opt/agent/config new"];

    /// <summary>Puts it into a registry.</summary>
    /// <returns>Its reference.</returns>
    public static async Task<string> PushToAsync(DockerRegistry registry, string name, CancellationToken cancellationToken)
    {
        using var folder = new TemporaryFolder();
        var writer = new LayoutWriter(folder["layout"]);
        LayoutLayer[] layers =
        [
            await writer.AddLayerAsync(tar => WriteAsync(tar, Lower, cancellationToken), cancellationToken),
            await writer.AddLayerAsync(tar => WriteAsync(tar, Upper, cancellationToken), cancellationToken),
        ];
        var index = writer.AddIndex(AddImage(writer, layers, "amd64"), AddImage(writer, layers, "arm64"));
        return await writer.PushAsync(index, registry, name, cancellationToken);
    }

    private static JsonObject AddImage(LayoutWriter writer, LayoutLayer[] layers, string architecture)
    {
        var platform = new JsonObject { ["architecture"] = architecture, ["os"] = "linux" };
        var config = platform.DeepClone().AsObject();
        config["history"] = new JsonArray(new JsonObject { ["created_by"] = "lower" }, new JsonObject { ["created_by"] = "upper" });
        var manifest = writer.AddImage(config, layers);
        manifest["platform"] = platform;
        return manifest;
    }

    private static async Task WriteAsync(TarWriter tar, string[] lines, CancellationToken cancellationToken)
    {
        foreach (var words in lines.Select(line => line.Split(' ', 5)))
        {
            var type = words[0] switch
            {
                "d" => TarEntryType.Directory,
                "l" => TarEntryType.SymbolicLink,
                "h" => TarEntryType.HardLink,
                _ => TarEntryType.RegularFile,
            };
            var owner = words[2].Split(':').Select(id => int.Parse(id, System.Globalization.CultureInfo.InvariantCulture)).ToArray();
            var entry = new GnuTarEntry(type, words[3])
            {
                Mode = (UnixFileMode)Convert.ToInt32(words[1], 8),
                Uid = owner[0],
                Gid = owner[1],
                ModificationTime = DateTimeOffset.UnixEpoch,
                AccessTime = DateTimeOffset.UnixEpoch,
                ChangeTime = DateTimeOffset.UnixEpoch,
            };
            if (type is TarEntryType.SymbolicLink or TarEntryType.HardLink)
                entry.LinkName = words[4];
            else if (type == TarEntryType.RegularFile)
                entry.DataStream = new MemoryStream(Encoding.UTF8.GetBytes(words.ElementAtOrDefault(4) ?? ""));
            await tar.WriteEntryAsync(entry, cancellationToken);
        }
    }
}

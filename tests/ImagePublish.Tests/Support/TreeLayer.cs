using System.Formats.Tar;
using System.Globalization;
using System.IO.Compression;
using System.Text;
using ImagePublish.Layers;

namespace ImagePublish.Tests.Support;

/// <summary>Layers with folders, links, owners and modes, and what is in them.</summary>
internal static class TreeLayer
{
    /// <summary>
    /// A gzipped tar. Each line is a kind (<c>d</c>, <c>f</c>, <c>l</c>, <c>h</c>, <c>p</c>), a mode, an owner, a path, and a text or a
    /// link's target.
    /// </summary>
    public static byte[] Create(params string[] lines)
    {
        var memory = new MemoryStream();
        using (var gzip = new GZipStream(memory, CompressionLevel.Fastest, leaveOpen: true))
        using (var tar = new TarWriter(gzip, TarEntryFormat.Pax, leaveOpen: true))
        {
            foreach (var line in lines)
                tar.WriteEntry(EntryOf(line.Split(' ', 5)));
        }

        return memory.ToArray();
    }

    /// <summary>The entries of a layer, in the form that <see cref="Create"/> takes.</summary>
    public static async Task<string[]> ReadAsync(byte[] blob, CancellationToken cancellationToken)
    {
        var lines = new List<string>();
        var options = new LayerReaderOptions();
        await foreach (var entry in LayerReader.ReadAsync(new MemoryStream(blob), options, cancellationToken))
        {
            using var text = new StreamReader(entry.Content ?? Stream.Null);
            var kind = entry.Kind switch
            {
                LayerEntryInfoKind.Directory => 'd',
                LayerEntryInfoKind.SymbolicLink => 'l',
                LayerEntryInfoKind.HardLink => 'h',
                _ => 'f',
            };
            var said = entry.LinkTarget ?? await text.ReadToEndAsync(cancellationToken);
            lines.Add($"{kind} {Convert.ToString((int)entry.Mode, 8)} {entry.Uid}:{entry.Gid} {entry.Path} {said}".TrimEnd());
        }

        return [.. lines];
    }

    private static PaxTarEntry EntryOf(string[] words)
    {
        var type = words[0] switch
        {
            "d" => TarEntryType.Directory,
            "l" => TarEntryType.SymbolicLink,
            "h" => TarEntryType.HardLink,
            "p" => TarEntryType.Fifo,
            _ => TarEntryType.RegularFile,
        };
        var owner = words[2].Split(':');
        var entry = new PaxTarEntry(type, words[3])
        {
            Mode = (UnixFileMode)Convert.ToInt32(words[1], 8),
            Uid = int.Parse(owner[0], CultureInfo.InvariantCulture),
            Gid = int.Parse(owner[1], CultureInfo.InvariantCulture),
        };
        var text = words.ElementAtOrDefault(4) ?? "";
        if (type is TarEntryType.SymbolicLink or TarEntryType.HardLink)
            entry.LinkName = text;
        else if (type == TarEntryType.RegularFile)
            entry.DataStream = new MemoryStream(Encoding.UTF8.GetBytes(text));
        return entry;
    }
}

using System.Formats.Tar;
using System.Globalization;
using System.IO.Compression;
using System.Text;

namespace ImagePublish.Tests.Support;

/// <summary>Makes Debian packages, good and bad.</summary>
internal sealed class DebBuilder(string name, string version = "1.0", string architecture = "all")
{
    private readonly List<TarEntry> entries = [];

    public string Name => name;

    public string FileName => $"{name}_{version}_{architecture}.deb";

    public string Fields { get; init; } = "";

    public string Compression { get; init; } = "gz";

    public string Control =>
        $"Package: {name}\nVersion: {version}\nArchitecture: {architecture}\nMaintainer: Nobody "
        + $"<nobody@example.com>\n{Fields}Description: test\n";

    public DebBuilder File(string path, string text, UnixFileMode mode = (UnixFileMode)0x1A4, int owner = 0) =>
        Entry(
            new GnuTarEntry(TarEntryType.RegularFile, path)
            {
                DataStream = new MemoryStream(Encoding.UTF8.GetBytes(text)),
                Mode = mode,
                Uid = owner,
                Gid = owner,
            }
        );

    public DebBuilder Folder(string path) => Entry(new GnuTarEntry(TarEntryType.Directory, path) { Mode = (UnixFileMode)0x1ED });

    public DebBuilder Link(string path, string target) => Entry(new GnuTarEntry(TarEntryType.SymbolicLink, path) { LinkName = target });

    public DebBuilder HardLink(string path, string target) => Entry(new GnuTarEntry(TarEntryType.HardLink, path) { LinkName = target });

    public DebBuilder Device(string path) =>
        Entry(new GnuTarEntry(TarEntryType.CharacterDevice, path) { DeviceMajor = 1, DeviceMinor = 3 });

    public byte[] Build()
    {
        using var control = new MemoryStream();
        using (var tar = new TarWriter(control, TarEntryFormat.Gnu, leaveOpen: true))
            tar.WriteEntry(
                new GnuTarEntry(TarEntryType.RegularFile, "./control") { DataStream = new MemoryStream(Encoding.UTF8.GetBytes(Control)) }
            );
        using var data = new MemoryStream();
        using (var tar = new TarWriter(data, TarEntryFormat.Gnu, leaveOpen: true))
        {
            foreach (var entry in entries)
            {
                if (entry.DataStream is { } stream)
                    stream.Position = 0;
                tar.WriteEntry(entry);
            }
        }

        return Archive(
            ("debian-binary", "2.0\n"u8.ToArray()),
            ("control.tar", control.ToArray()),
            (Compression is "" ? "data.tar" : $"data.tar.{Compression}", Compress(data.ToArray()))
        );
    }

    public static byte[] Archive(params (string Name, byte[] Content)[] members)
    {
        using var archive = new MemoryStream();
        archive.Write("!<arch>\n"u8);
        foreach (var (member, content) in members)
        {
            archive.Write(
                Encoding.ASCII.GetBytes(
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"{member, -16}{0, -12}{0, -6}{0, -6}{"100644", -8}{content.Length, -10}`\n"
                    )
                )
            );
            archive.Write(content);
            if (content.Length % 2 == 1)
                archive.WriteByte((byte)'\n');
        }

        return archive.ToArray();
    }

    private byte[] Compress(byte[] content)
    {
        if (Compression is "")
            return content;
        if (Compression is "xz")
            return Xz.Compress(content);
        using var compressed = new MemoryStream();
        using (
            Stream encoder =
                Compression == "gz" ? new GZipStream(compressed, CompressionLevel.Fastest) : new ZstdSharp.CompressionStream(compressed)
        )
            encoder.Write(content);
        return compressed.ToArray();
    }

    private DebBuilder Entry(TarEntry entry)
    {
        entries.Add(entry);
        return this;
    }
}

using System.Formats.Tar;
using System.Text;

namespace ImagePublish.Tests.Support;

/// <summary>Makes tars as other tools do.</summary>
internal static class TarBuilder
{
    /// <summary>A tar of files by name; a value that begins with <c>-></c> makes a symbolic link, with <c>=></c> a hard link.</summary>
    public static byte[] Create(TarEntryFormat format, params IReadOnlyList<(string Name, byte[] Content)> files)
    {
        using var output = new MemoryStream();
        using (var writer = new TarWriter(output, format, leaveOpen: true))
        {
            foreach (var (name, content) in files)
                writer.WriteEntry(Entry(format, name, content));
        }

        return output.ToArray();
    }

    public static byte[] Create(params IReadOnlyList<(string Name, byte[] Content)> files) => Create(TarEntryFormat.Pax, files);

    private static TarEntry Entry(TarEntryFormat format, string name, byte[] content)
    {
        var link =
            content.AsSpan().StartsWith("->"u8) ? TarEntryType.SymbolicLink
            : content.AsSpan().StartsWith("=>"u8) ? TarEntryType.HardLink
            : TarEntryType.RegularFile;
        TarEntry entry = format switch
        {
            TarEntryFormat.Gnu => new GnuTarEntry(link, name),
            TarEntryFormat.Ustar => new UstarTarEntry(link, name),
            _ => new PaxTarEntry(link, name),
        };
        if (link == TarEntryType.RegularFile)
            entry.DataStream = new MemoryStream(content);
        else
            entry.LinkName = Encoding.UTF8.GetString(content.AsSpan(2));
        return entry;
    }
}

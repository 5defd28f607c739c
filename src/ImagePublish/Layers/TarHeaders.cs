using System.Globalization;
using System.Text;
using ICSharpCode.SharpZipLib.Tar;

namespace ImagePublish.Layers;

/// <summary>Writes the headers of a layer's tar: POSIX ustar, with PAX records where ustar has no room.</summary>
/// <remarks>
/// SharpZipLib lays out the header blocks. What goes beyond them is written here, since its <c>TarOutputStream</c> cuts long names with multi-byte characters at the wrong place and
/// long link targets without a word, and knows no PAX. Its defaults (the time, the user's name and ids) are all overridden.
/// PAX rather than GNU extensions, because Windows layers need PAX anyway: one mechanism.
/// <see href="https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html#tag_20_92_13_02">POSIX pax, pax Header Block</see>.
/// </remarks>
internal static class TarHeaders
{
    public const int BlockSize = 512;

    /// <summary>What 7 octal digits hold.</summary>
    private const int MaxId = 0x1FFFFF;

    /// <summary>What 11 octal digits hold: 8 GiB.</summary>
    private const long MaxSize = 0x1FFFFFFFF;

    /// <summary>Writes an entry's header, with the PAX header it needs before it.</summary>
    public static void Write(LayerEntry entry, BlockWriter output)
    {
        var name = entry.Kind == LayerEntryKind.Directory ? entry.Path + "/" : entry.Path;
        var size = entry.Content?.Length ?? 0;
        var block = new byte[BlockSize];
        if (PaxRecords(entry, name, size) is { Length: > 0 } records)
        {
            Header("PaxHeaders/" + name, TarHeader.LF_XHDR, Modes.Plain, records.Length).WriteHeader(block, Encoding.ASCII);
            output.Write(block);
            output.Write(records);
            output.PadTo(BlockSize);
        }

        var header = Header(name, TypeOf(entry.Kind), entry.Mode, size);
        header.LinkName = entry.LinkTarget ?? "";
        header.UserId = Math.Min(entry.Uid, MaxId);
        header.GroupId = Math.Min(entry.Gid, MaxId);
        header.ModTime = DateTime.UnixEpoch.AddSeconds(Math.Min(entry.Modified.ToUnixTimeSeconds(), int.MaxValue));
        Array.Clear(block);
        header.WriteHeader(block, Encoding.ASCII);
        output.Write(block);
    }

    private static TarHeader Header(string name, byte type, UnixFileMode mode, long size) =>
        new()
        {
            Name = name,
            Mode = (int)mode,
            UserId = 0,
            GroupId = 0,
            Size = size,
            ModTime = DateTime.UnixEpoch,
            TypeFlag = type,
            LinkName = "",
            Magic = "ustar",
            Version = "00",
            UserName = "",
            GroupName = "",
            DevMajor = 0,
            DevMinor = 0,
        };

    private static byte TypeOf(LayerEntryKind kind) =>
        kind switch
        {
            LayerEntryKind.Directory => TarHeader.LF_DIR,
            LayerEntryKind.File => TarHeader.LF_NORMAL,
            _ => TarHeader.LF_SYMLINK,
        };

    private static byte[] PaxRecords(LayerEntry entry, string name, long size)
    {
        var records = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var (key, value) in entry.PaxAttributes ?? new Dictionary<string, string>())
            records.Add(key, value);
        if (!FitsHeader(name))
            records["path"] = name;
        if (entry.LinkTarget is { } target && !FitsHeader(target))
            records["linkpath"] = target;
        AddIfBeyond(records, "uid", entry.Uid, MaxId);
        AddIfBeyond(records, "gid", entry.Gid, MaxId);
        AddIfBeyond(records, "size", size, MaxSize);
        AddIfBeyond(records, "mtime", entry.Modified.ToUnixTimeSeconds(), int.MaxValue);
        return [.. records.SelectMany(record => PaxRecord(record.Key, record.Value))];
    }

    private static bool FitsHeader(string name) => name.Length <= TarHeader.NAMELEN && Ascii.IsValid(name);

    private static void AddIfBeyond(SortedDictionary<string, string> records, string key, long value, long max)
    {
        if (value > max)
            records[key] = value.ToString(CultureInfo.InvariantCulture);
    }

    /// <summary>A record begins with its own length in decimal digits, which count too.</summary>
    private static byte[] PaxRecord(string key, string value)
    {
        var rest = Encoding.UTF8.GetBytes($" {key}={value}\n");
        var length = rest.Length + 1;
        while (rest.Length + Digits(length) != length)
            length = rest.Length + Digits(length);
        return [.. Encoding.ASCII.GetBytes(length.ToString(CultureInfo.InvariantCulture)), .. rest];
    }

    private static int Digits(int number) => number.ToString(CultureInfo.InvariantCulture).Length;
}

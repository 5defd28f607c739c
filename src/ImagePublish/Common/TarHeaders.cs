using System.Globalization;
using System.Text;
using ICSharpCode.SharpZipLib.Tar;

namespace ImagePublish.Common;

internal sealed record TarHeaderFields(string Name, byte Type, UnixFileMode Mode, long Size)
{
    public int Uid { get; init; }

    public int Gid { get; init; }

    public string LinkName { get; init; } = "";

    public DateTime Modified { get; init; } = DateTime.UnixEpoch;

    public string Version { get; init; } = "00";
}

/// <remarks>
/// SharpZipLib lays out the blocks. What goes beyond them is written by its callers, since its <c>TarOutputStream</c> cuts long names with
/// multi-byte characters in the middle of one and long link targets without a word, and knows no PAX. Its defaults (the time, the user's
/// name and ids) are overridden.
/// </remarks>
internal static class TarHeaders
{
    public const int BlockSize = 512;

    public const int MaxNameLength = TarHeader.NAMELEN;

    public const byte File = TarHeader.LF_NORMAL;
    public const byte SymbolicLink = TarHeader.LF_SYMLINK;
    public const byte HardLink = TarHeader.LF_LINK;
    public const byte Directory = TarHeader.LF_DIR;
    public const byte Pax = TarHeader.LF_XHDR;
    public const byte GnuLongName = TarHeader.LF_GNU_LONGNAME;

    public static byte[] Create(TarHeaderFields fields)
    {
        var header = new TarHeader
        {
            Name = fields.Name,
            Mode = (int)fields.Mode,
            UserId = fields.Uid,
            GroupId = fields.Gid,
            Size = fields.Size,
            ModTime = fields.Modified,
            TypeFlag = fields.Type,
            LinkName = fields.LinkName,
            Magic = "ustar",
            Version = fields.Version,
            UserName = "",
            GroupName = "",
            DevMajor = 0,
            DevMinor = 0,
        };
        var block = new byte[BlockSize];
        header.WriteHeader(block, Encoding.ASCII);
        return block;
    }

    /// <summary>A record of a PAX header. It begins with its own length in decimal digits, which count too.</summary>
    /// <remarks>
    /// <see href="https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html#tag_20_92_13_03">POSIX pax, pax Extended
    /// Header</see>.
    /// </remarks>
    public static byte[] PaxRecord(string key, string value)
    {
        var rest = Encoding.UTF8.GetBytes($" {key}={value}\n");
        var length = rest.Length + 1;
        while (rest.Length + Digits(length) != length)
            length = rest.Length + Digits(length);
        return [.. Encoding.ASCII.GetBytes(length.ToString(CultureInfo.InvariantCulture)), .. rest];
    }

    private static int Digits(int number) => number.ToString(CultureInfo.InvariantCulture).Length;
}

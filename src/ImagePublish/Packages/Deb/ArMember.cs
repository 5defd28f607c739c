using System.Globalization;
using System.Text;

namespace ImagePublish.Packages.Deb;

/// <summary>One member of an <c>ar</c> archive, the outer shape of a Debian package.</summary>
/// <remarks><see href="https://manpages.debian.org/deb.5">deb(5)</see>.</remarks>
internal sealed record ArMember(string Name, long Offset, long Length)
{
    private const int HeaderLength = 60;

    // A package has three, and perhaps a signature.
    private const int MaxMembers = 100;

    /// <exception cref="InvalidDataException">It is no archive, or damaged.</exception>
    public static IReadOnlyList<ArMember> ReadAll(Stream archive)
    {
        Span<byte> header = stackalloc byte[HeaderLength];
        if (archive.ReadAtLeast(header[..8], 8, throwOnEndOfStream: false) < 8 || !header[..8].SequenceEqual("!<arch>\n"u8))
            throw new InvalidDataException("it is not a Debian package");
        var members = new List<ArMember>();
        while (archive.ReadAtLeast(header, HeaderLength, throwOnEndOfStream: false) is var read && read > 0)
        {
            if (
                read < HeaderLength
                || !header[58..].SequenceEqual("`\n"u8)
                || !long.TryParse(Field(header[48..58]), NumberStyles.None, CultureInfo.InvariantCulture, out var length)
            )
                throw new InvalidDataException("its archive is damaged");
            if (length > archive.Length - archive.Position)
                throw new InvalidDataException("it is cut short");
            if (members.Count == MaxMembers)
                throw new InvalidDataException($"its archive has more than {MaxMembers} members");
            members.Add(new ArMember(Field(header[..16]).TrimEnd('/'), archive.Position, length));
            // Members begin at even places.
            archive.Position += length + (length & 1);
        }

        return members;
    }

    private static string Field(ReadOnlySpan<byte> bytes) => Encoding.ASCII.GetString(bytes).Trim();
}

using System.Buffers.Binary;
using System.Security.Cryptography;

namespace ImagePublish.Layers;

/// <summary>The modification time of static web content.</summary>
/// <remarks>
/// ASP.NET's <c>UseStaticFiles</c> derives <c>ETag</c> and <c>Last-Modified</c> from a file's modification time and length. With one
/// constant time for all files, an edit that keeps the length (a colour in a style sheet) would keep its <c>ETag</c>, and browsers and CDNs
/// would go on serving the old file. With the build's time, every build would be a new layer. So static content gets a time made of the
/// hash of its content: it changes when the content does, and only then. The times are between 2000 and 2017, in whole seconds as HTTP has
/// them: always in the past. They don't grow with newer content; a client that sends <c>If-None-Match</c>, as all browsers do, is not
/// misled by that, since ASP.NET serves the file as soon as one of the two conditions says so.
/// </remarks>
internal static class StaticContent
{
    public const string Folder = "wwwroot";

    private const uint Range = 1u << 29;

    private static readonly DateTimeOffset Start = new(2000, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public static bool IsAt(string publishPath) => publishPath.StartsWith(Folder + "/", StringComparison.OrdinalIgnoreCase);

    public static DateTimeOffset TimeOf(FileContent content)
    {
        if (content is FileInLayer { Length: > 0 } file)
            return TimeOf(BitConverter.GetBytes(BinaryPrimitives.ReverseEndianness(file.Fingerprint)));
        if (content is FileInLayer)
            return TimeOf(SHA256.HashData([]));
        using var stream = content.Open();
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        DiskFiles.Guarded(content.Source, () => SHA256.HashData(stream)).CopyTo(hash);
        return TimeOf(hash);
    }

    /// <summary>The modification time that belongs to content with a hash.</summary>
    internal static DateTimeOffset TimeOf(ReadOnlySpan<byte> hash) => Start.AddSeconds(BinaryPrimitives.ReadUInt32BigEndian(hash) % Range);
}

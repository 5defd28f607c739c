using System.Text;
using ICSharpCode.SharpZipLib.Tar;

namespace ImagePublish.Storage.Archives;

/// <summary>Writes a tar whose bytes depend on nothing but its content: epoch times, owner 0, fixed modes.</summary>
internal sealed class ArchiveTar(Stream output)
{
    private const int BlockSize = 512;
    private const int NameSize = 100;
    private const int FileMode = 0b110_100_100;
    private const int FolderMode = 0b111_101_101;

    /// <summary>Writes a folder.</summary>
    public Task WriteFolderAsync(string name, CancellationToken cancellationToken) =>
        WriteHeaderAsync(name, TarHeader.LF_DIR, FolderMode, 0, cancellationToken);

    /// <summary>Writes a file from memory.</summary>
    public async Task WriteFileAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        await WriteHeaderAsync(name, TarHeader.LF_NORMAL, FileMode, content.Length, cancellationToken);
        await output.WriteAsync(content, cancellationToken);
        await PadAsync(content.Length, cancellationToken);
    }

    /// <summary>Writes a file from a stream that has exactly as many bytes as it says.</summary>
    public async Task WriteFileAsync(string name, long size, Stream content, CancellationToken cancellationToken)
    {
        await WriteHeaderAsync(name, TarHeader.LF_NORMAL, FileMode, size, cancellationToken);
        await content.CopyToAsync(output, 1024 * 1024, cancellationToken);
        await PadAsync(size, cancellationToken);
    }

    /// <summary>Ends the tar.</summary>
    public async Task CompleteAsync(CancellationToken cancellationToken) =>
        await output.WriteAsync(new byte[2 * BlockSize], cancellationToken);

    private async Task WriteHeaderAsync(string name, byte type, int mode, long size, CancellationToken cancellationToken)
    {
        // The path of a blob with a SHA-512 digest is longer than the field; GNU's way is what every reader knows.
        if (name.Length > NameSize)
        {
            var longName = Encoding.ASCII.GetBytes(name + '\0');
            await WriteHeaderAsync("././@LongLink", TarHeader.LF_GNU_LONGNAME, FileMode, longName.Length, cancellationToken);
            await output.WriteAsync(longName, cancellationToken);
            await PadAsync(longName.Length, cancellationToken);
            name = name[..NameSize];
        }

        var header = new TarHeader
        {
            Name = name,
            TypeFlag = type,
            Mode = mode,
            Size = size,
            UserId = 0,
            GroupId = 0,
            UserName = "",
            GroupName = "",
            ModTime = DateTime.UnixEpoch,
        };
        var block = new byte[BlockSize];
        header.WriteHeader(block, Encoding.ASCII);
        await output.WriteAsync(block, cancellationToken);
    }

    private async Task PadAsync(long size, CancellationToken cancellationToken) =>
        await output.WriteAsync(new byte[(BlockSize - (size % BlockSize)) % BlockSize], cancellationToken);
}

using System.Text;
using ImagePublish.Common;

namespace ImagePublish.Storage.Archives;

/// <summary>Writes a tar whose bytes depend on nothing but its content: epoch times, owner 0, fixed modes.</summary>
internal sealed class ArchiveTar(Stream output)
{
    private const int BlockSize = TarHeaders.BlockSize;
    private const UnixFileMode FileMode = (UnixFileMode)0b110_100_100;
    private const UnixFileMode FolderMode = (UnixFileMode)0b111_101_101;
    private const string GnuVersion = " ";

    public Task WriteFolderAsync(string name, CancellationToken cancellationToken) =>
        WriteHeaderAsync(name, TarHeaders.Directory, FolderMode, 0, cancellationToken);

    public async Task WriteFileAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        await WriteHeaderAsync(name, TarHeaders.File, FileMode, content.Length, cancellationToken);
        await output.WriteAsync(content, cancellationToken);
        await PadAsync(content.Length, cancellationToken);
    }

    /// <summary>Writes a file from a stream that has exactly as many bytes as it says.</summary>
    public async Task WriteFileAsync(string name, long size, Stream content, CancellationToken cancellationToken)
    {
        await WriteHeaderAsync(name, TarHeaders.File, FileMode, size, cancellationToken);
        await content.CopyToAsync(output, 1024 * 1024, cancellationToken);
        await PadAsync(size, cancellationToken);
    }

    public async Task CompleteAsync(CancellationToken cancellationToken) =>
        await output.WriteAsync(new byte[2 * BlockSize], cancellationToken);

    private async Task WriteHeaderAsync(string name, byte type, UnixFileMode mode, long size, CancellationToken cancellationToken)
    {
        // The path of a blob with a SHA-512 digest is longer than the field; GNU's way is what every reader knows.
        if (name.Length > TarHeaders.MaxNameLength)
        {
            var longName = Encoding.ASCII.GetBytes(name + '\0');
            await WriteHeaderAsync("././@LongLink", TarHeaders.GnuLongName, FileMode, longName.Length, cancellationToken);
            await output.WriteAsync(longName, cancellationToken);
            await PadAsync(longName.Length, cancellationToken);
            name = name[..TarHeaders.MaxNameLength];
        }

        await output.WriteAsync(TarHeaders.Create(new TarHeaderFields(name, type, mode, size) { Version = GnuVersion }), cancellationToken);
    }

    private async Task PadAsync(long size, CancellationToken cancellationToken) =>
        await output.WriteAsync(new byte[(BlockSize - (size % BlockSize)) % BlockSize], cancellationToken);
}

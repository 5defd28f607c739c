using ImagePublish.Common;
using ImagePublish.Oci;

namespace ImagePublish.Storage.Archives;

/// <summary>A file within an archive or a layout folder, which is read where it is and never extracted.</summary>
internal abstract class ArchiveFile(long length)
{
    public long Length { get; } = length;

    /// <summary>Whether it is still there, if that can be seen without opening it.</summary>
    public virtual bool IsThere => true;

    public abstract ValueTask<Stream> OpenAsync(long offset, CancellationToken cancellationToken);

    public async Task<byte[]> ReadAsync(CancellationToken cancellationToken)
    {
        var bytes = new byte[Length];
        await using var content = await OpenAsync(0, cancellationToken);
        await content.ReadExactlyAsync(bytes, cancellationToken);
        return bytes;
    }
}

/// <summary>The files of an archive or a layout folder.</summary>
internal interface IArchiveFiles
{
    string Location { get; }

    ContentBudget Budget { get; }

    /// <summary>Finds a file by its path in the archive, through links that stay in it.</summary>
    ArchiveFile? Find(string path);
}

internal sealed class ArchiveBlobSource(Descriptor descriptor, ArchiveFile file) : BlobSource(descriptor)
{
    /// <summary>Whether its file is still there, if that can be seen without opening it.</summary>
    public bool IsThere => file.IsThere;

    public override ValueTask<Stream> OpenAsync(long offset, CancellationToken cancellationToken) =>
        file.OpenAsync(offset, cancellationToken);
}

using ImagePublish.Common;
using ImagePublish.Diagnostics;

namespace ImagePublish.Storage.Archives;

/// <summary>The files of an image layout that is a folder.</summary>
internal sealed class FolderFiles(string folder) : IArchiveFiles
{
    public string Location => folder;

    public ContentBudget Budget { get; } = TarFiles.NewBudget(folder);

    public ArchiveFile? Find(string path)
    {
        // Paths are ours: constants, and digests that are valid by construction.
        var current = folder;
        foreach (var part in path.Split('/'))
        {
            current = Path.Combine(current, part);
            if (new FileInfo(current).LinkTarget is not null)
                throw new ImagePublishException(
                    DiagnosticCodes.ArchiveInvalid,
                    $"'{current}' is a link; an image layout must consist of files. Copy the layout without links."
                );
        }

        var file = new FileInfo(current);
        return file.Exists ? new DiskFile(file) : null;
    }

    internal sealed class DiskFile(FileInfo file) : ArchiveFile(file.Length)
    {
        public override bool IsThere => File.Exists(file.FullName);

        public override ValueTask<Stream> OpenAsync(long offset, CancellationToken cancellationToken) =>
            ValueTask.FromResult<Stream>(
                new FileStream(
                    file.FullName,
                    FileMode.Open,
                    FileAccess.Read,
                    FileShare.Read | FileShare.Delete,
                    1,
                    FileOptions.Asynchronous | FileOptions.SequentialScan
                )
                {
                    Position = offset,
                }
            );
    }
}

using ImagePublish.Oci;
using ImagePublish.Layers;

namespace ImagePublish.Packages.Deb;

/// <summary>A file of a package, read out of the package's tar: nothing of a package is ever put on disk under a name of its own choice.</summary>
/// <param name="Tar">The full path of the tar.</param>
/// <param name="Offset">Where the file's bytes begin in it.</param>
/// <param name="Length">Their number.</param>
internal sealed record FileInTar(string Tar, long Offset, long Length) : FileContent(Length)
{
    /// <inheritdoc/>
    public override string Source => Tar;

    /// <inheritdoc/>
    public override Stream Open() =>
        new SliceStream(new FileStream(Tar, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete) { Position = Offset }, Length);
}

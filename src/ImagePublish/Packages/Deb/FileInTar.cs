using ImagePublish.Common;
using ImagePublish.Layers;

namespace ImagePublish.Packages.Deb;

/// <summary>
/// A file of a package, read out of the package's tar: nothing of a package is ever put on disk under a name of its own choice.
/// </summary>
internal sealed record FileInTar(string Tar, long Offset, long Length) : FileContent(Length)
{
    public override string Source => Tar;

    public override Stream Open() =>
        new SliceStream(
            new FileStream(Tar, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete) { Position = Offset },
            Length
        );
}

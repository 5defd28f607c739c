using System.Formats.Tar;

namespace ImagePublish.Layers;

/// <summary>Tells sockets, pipes and devices from files.</summary>
internal static class SpecialFiles
{
    private const int TypeFlagOffset = 156;

    /// <remarks>
    /// The framework has no public way to ask for a file's type without opening it, and opening a pipe waits for a writer. Its tar writer,
    /// however, looks first and writes the type it saw. All of these report a length of 0, so only empty files need this look.
    /// </remarks>
    public static void Refuse(FileInfo file, string publishPath)
    {
        if (OperatingSystem.IsWindows())
            return;

        using var header = new MemoryStream();
        try
        {
            using var tar = new TarWriter(header, TarEntryFormat.Gnu, leaveOpen: true);
            tar.WriteEntry(file.FullName, "file");
        }
        catch (IOException exception)
        {
            throw NotAFile(publishPath, exception);
        }
        catch (UnauthorizedAccessException exception)
        {
            throw DiskFiles.Unreadable(file.FullName, exception);
        }

        if (header.GetBuffer()[TypeFlagOffset] != (byte)TarEntryType.RegularFile)
            throw NotAFile(publishPath, null);
    }

    private static Diagnostics.ImagePublishException NotAFile(string publishPath, Exception? cause) =>
        new(
            Diagnostics.DiagnosticCodes.InvalidEntry,
            $"'{Common.Text.Sanitize(publishPath)}' is a socket, pipe or device: it can't be put into a layer. Leave it "
                + "out of the publish output.",
            cause
        );
}

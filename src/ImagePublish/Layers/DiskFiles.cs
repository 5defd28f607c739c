using ImagePublish.Common;
using ImagePublish.Diagnostics;
using Microsoft.Win32.SafeHandles;

namespace ImagePublish.Layers;

/// <summary>Reads the build machine's files; what goes wrong becomes one <c>IMG3002</c> with the file's name.</summary>
internal static class DiskFiles
{
    public static SafeFileHandle Open(string path) =>
        Guarded(path, () => File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete));

    public static int Read(SafeFileHandle handle, string path, Span<byte> buffer, long offset)
    {
        try
        {
            return RandomAccess.Read(handle, buffer, offset);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw Unreadable(path, exception);
        }
    }

    public static T Guarded<T>(string path, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw Unreadable(path, exception);
        }
    }

    public static ImagePublishException Changed(string path, string how) =>
        new(
            DiagnosticCodes.UnreadableFile,
            $"'{Text.Sanitize(path)}' {how} while it was read. Something still writes to it: let that finish, and publish again."
        );

    public static ImagePublishException Unreadable(string path, Exception cause) =>
        new(DiagnosticCodes.UnreadableFile, $"'{Text.Sanitize(path)}' can't be read: {Text.Sanitize(cause.Message)}", cause);
}

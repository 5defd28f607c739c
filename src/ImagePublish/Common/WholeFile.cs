using ImagePublish.Diagnostics;

namespace ImagePublish.Common;

/// <summary>A small file that others see whole or not at all: it is written under a temporary name beside its place, then moved.</summary>
internal static class WholeFile
{
    /// <summary>Writes it, over one that is there; creates its folder.</summary>
    /// <exception cref="IOException">It can't be written.</exception>
    /// <exception cref="UnauthorizedAccessException">It can't be written.</exception>
    public static void Write(string path, ReadOnlySpan<byte> content)
    {
        var unfinished = $"{path}.{Guid.NewGuid():n}";
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        try
        {
            File.WriteAllBytes(unfinished, content);
            File.Move(unfinished, path, overwrite: true);
        }
        catch
        {
            Remove(unfinished);
            throw;
        }
    }

    /// <summary>Writes it for a user who asked for it, unless it is there already.</summary>
    /// <param name="what">What is in it, to follow "the".</param>
    /// <returns>Whether it changed.</returns>
    /// <exception cref="ImagePublishException"><c>IMG3003</c>: it can't be written.</exception>
    public static bool Write(string path, string what, ReadOnlySpan<byte> content)
    {
        try
        {
            if (File.Exists(path) && File.ReadAllBytes(path).AsSpan().SequenceEqual(content))
                return false;
            Write(path, content);
            return true;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new ImagePublishException(
                DiagnosticCodes.DiskFailed,
                $"The {what} can't be written to '{Text.Sanitize(path)}': {Text.Sanitize(exception.Message)}",
                exception
            );
        }
    }

    // What prevented the file may prevent this, too: the first failure is the one to report.
    private static void Remove(string unfinished)
    {
        try
        {
            File.Delete(unfinished);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException) { }
    }
}

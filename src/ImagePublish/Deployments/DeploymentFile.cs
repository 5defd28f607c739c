using System.Text;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;

namespace ImagePublish.Deployments;

/// <summary>A file that says which images are deployed, and where it is written with new digests.</summary>
/// <param name="Source">The full path of the file that is read.</param>
/// <param name="Shown">Its name in messages.</param>
/// <param name="Target">The full path of the file that is written: the same, or one in a folder for results.</param>
internal sealed record DeploymentFile(string Source, string Shown, string Target)
{
    /// <summary>What it may call the image besides the names that the image has; null for nothing.</summary>
    public Repository? Alias { get; init; }

    /// <summary>The most bytes of a file.</summary>
    public const int MaxLength = 32_000_000;

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);
    private static readonly byte[] ByteOrderMark = [0xEF, 0xBB, 0xBF];

    /// <exception cref="ImagePublishException"><c>IMG3120</c>: it can't be read.</exception>
    public static byte[] Read(string path, string shown)
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            if (file.Length > MaxLength)
                throw Unreadable(shown, $"it has {file.Length} bytes, and at most {MaxLength} are read");
            var content = new byte[file.Length];
            file.ReadExactly(content);
            return content;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw Unreadable(shown, Text.Sanitize(exception.Message).TrimEnd('.'), exception);
        }
    }

    /// <summary>The file's content with the image's digest, or null where it does not name the image.</summary>
    /// <exception cref="ImagePublishException"><c>IMG3120</c>, <c>IMG3124</c>: it can't be read or changed.</exception>
    public DeploymentUpdate? Update(byte[] content, DeployedImage published)
    {
        var image = Named(published);
        if (!MayName(content, image))
            return null;
        var mark = content.AsSpan().StartsWith(ByteOrderMark) ? ByteOrderMark.Length : 0;
        var text = Decode(content.AsSpan(mark));
        try
        {
            var (updated, places) = ImagePlaces.Update(text, image);
            return places == 0
                ? null
                : new DeploymentUpdate(this, [.. content.AsSpan(0, mark), .. Strict.GetBytes(updated)], places)
                {
                    IsChanged = updated != text,
                };
        }
        catch (ImagePublishException exception) when (exception.Code == DiagnosticCodes.DeploymentUnchangeable)
        {
            throw new ImagePublishException(exception.Code, $"{Shown}, {exception.Message}. Write it as a plain text there.", exception);
        }
        catch (ImagePublishException exception)
        {
            var isTemplate = text.Contains("{{", StringComparison.Ordinal);
            throw isTemplate
                ? new ImagePublishException(DiagnosticCodes.DeploymentTemplate, Shown, exception)
                : Unreadable(Shown, $"it is not YAML: {exception.Message}", exception);
        }
    }

    /// <summary>Whether it could name the image: only then it is looked at.</summary>
    /// <exception cref="ImagePublishException"><c>IMG3120</c>: it can't be read.</exception>
    public bool MayName(DeployedImage published) => MayName(Read(Source, Shown), Named(published));

    private DeployedImage Named(DeployedImage image) =>
        Alias is null ? image : image with { Repositories = [.. image.Repositories, Alias] };

    private static ImagePublishException Unreadable(string shown, string why, Exception? cause = null) =>
        new(DiagnosticCodes.DeploymentUnreadable, $"{shown} can't be read: {why}. Fix it, or leave it out of ImageManifest.", cause);

    private string Decode(ReadOnlySpan<byte> content)
    {
        try
        {
            return Strict.GetString(content);
        }
        catch (DecoderFallbackException exception)
        {
            throw Unreadable(Shown, "it is not UTF-8", exception);
        }
    }

    // What is in another encoding would not be found otherwise, and be left as it is without a word.
    private static bool MayName(byte[] content, DeployedImage image) =>
        content.AsSpan().IndexOf((byte)0) >= 0
            ? image.MayBeIn(Encoding.Latin1.GetString(content).Replace("\0", "", StringComparison.Ordinal))
            : image.MayBeIn(Encoding.Latin1.GetString(content));
}

/// <summary>A deployment file with the new digest.</summary>
/// <param name="Places">How many places of it name the image.</param>
internal sealed record DeploymentUpdate(DeploymentFile File, byte[] Content, int Places)
{
    /// <summary>Whether it differs from what was there.</summary>
    public bool IsChanged { get; init; }
}

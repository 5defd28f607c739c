using System.Globalization;

namespace ImagePublish.Registries.Blobs;

/// <summary>What a registry says of the bytes it has of an upload.</summary>
/// <remarks>
/// <see href="https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-a-blob-in-chunks">distribution-spec</see>: <c>0-N</c>, where N is the last
/// byte's position. Some write <c>bytes=0-N</c>. <c>0-0</c> may mean one byte or none; it is read as none, because then the registry's refusal of what follows mends the mistake.
/// </remarks>
internal static class UploadRange
{
    /// <summary>The number of bytes that are there; null where the header does not say.</summary>
    public static long? Parse(string? header)
    {
        if (header is not { Length: <= 64 })
            return null;
        var text = header.AsSpan().Trim();
        if (text.StartsWith("bytes", StringComparison.OrdinalIgnoreCase))
            text = text["bytes".Length..].TrimStart(" =");
        var dash = text.IndexOf('-');
        if (
            dash < 1
            || !long.TryParse(text[..dash], NumberStyles.None, CultureInfo.InvariantCulture, out var first)
            || first != 0
            || !long.TryParse(text[(dash + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var last)
        )
            return null;
        return last is 0 or long.MaxValue ? 0 : last + 1;
    }
}

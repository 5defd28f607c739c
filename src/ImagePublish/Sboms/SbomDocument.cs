using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using ImagePublish.Oci;

namespace ImagePublish.Sboms;

/// <summary>A bill of materials as it is written to a file or attached to an image.</summary>
internal static class SbomDocument
{
    public const string Tool = "ImagePublish.Tasks";
    public const string SpdxMediaType = "application/spdx+json";
    public const string CycloneDxMediaType = "application/vnd.cyclonedx+json";

    public static string ToolVersion { get; } =
        (typeof(SbomDocument).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "0.0.0").Split(
            '+'
        )[0];

    /// <summary>Describes an image: the same bytes for the same image, whenever and wherever.</summary>
    public static MemoryBlobSource Compose(SbomSources sources)
    {
        var bom = BomComposer.Compose(sources);
        return sources.Request.Format == SbomFormat.Spdx
            ? MemoryBlobSource.Create(SpdxMediaType, Spdx.Write(bom))
            : MemoryBlobSource.Create(CycloneDxMediaType, CycloneDx.Write(bom));
    }

    /// <summary>Thousands of files are listed: without blanks a document has two thirds of the bytes.</summary>
    internal static JsonWriterOptions WriterOptions { get; } =
        new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    /// <summary>Where a document's file begins to be too large for services that take it.</summary>
    public const int LargestAccepted = 16 << 20;

    public static string MediaTypeOf(SbomFormat format) => format == SbomFormat.Spdx ? SpdxMediaType : CycloneDxMediaType;

    /// <summary>One document of an image has one identity, whoever writes it.</summary>
    internal static Guid IdentityOf(Bom bom, SbomFormat format)
    {
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes($"{Tool} {ToolVersion}\n{format}\n{bom.Name}\n{bom.Digest}"));
        // A UUID of version 8, RFC 9562: the rest is ours.
        hash[6] = (byte)((hash[6] & 0x0F) | 0x80);
        hash[8] = (byte)((hash[8] & 0x3F) | 0x80);
        return new Guid(hash.AsSpan(0, 16), bigEndian: true);
    }
}

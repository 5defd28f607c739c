using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using ImagePublish.Common;

namespace ImagePublish.Oci;

/// <summary>The one way that documents of the specifications become JSON and come back.</summary>
/// <remarks>
/// Written without white space and with only the escapes that JSON demands, properties always in the same order: the same document has the
/// same bytes everywhere. Read strictly (<see cref="JsonSyntax.Parse"/>).
/// </remarks>
internal static class OciJson
{
    /// <summary>The largest manifest or index that is read or written, in bytes: what registries accept.</summary>
    public const int MaxManifestSize = 4 * 1024 * 1024;

    public const int MaxConfigSize = 4 * 1024 * 1024;

    // No registry and no machine takes more. Far below what a sum of some thousand images could overflow.
    private const long MaxBlobSize = 1L << 40;
    private const long MaxTotalSize = 16 * MaxBlobSize;

    public static byte[] Write(IJsonObject document) => Write(json => json.WriteObject(document));

    /// <summary>Writes a document that is no type, in the same form.</summary>
    public static byte[] Write(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
            write(json);
        return buffer.WrittenSpan.ToArray();
    }

    /// <exception cref="JsonException">It is malformed, or also claims to be an index.</exception>
    public static ImageManifest ReadManifest(ReadOnlySpan<byte> json)
    {
        var manifest = JsonObjectReader.Read(json, "manifest", ImageManifest.Read);
        RejectUnknown("manifest", manifest.Unknown, "manifests");
        RejectSizes("manifest", [manifest.Config, .. manifest.Layers]);
        RejectMediaType("manifest", "$.mediaType", manifest.MediaType);
        RejectMalformed("manifest", "$.config", manifest.Config);
        RejectMalformed("manifest", "$.layers", manifest.Layers);
        RejectMalformed("manifest", "$.subject", manifest.Subject);
        return manifest;
    }

    /// <exception cref="JsonException">It is malformed, or also claims to be a manifest.</exception>
    public static ImageIndex ReadIndex(ReadOnlySpan<byte> json)
    {
        var index = JsonObjectReader.Read(json, "index", ImageIndex.Read);
        RejectUnknown("index", index.Unknown, "layers", "config");
        RejectSizes("index", index.Manifests);
        RejectMediaType("index", "$.mediaType", index.MediaType);
        RejectMalformed("index", "$.manifests", index.Manifests);
        RejectMalformed("index", "$.subject", index.Subject);
        return index;
    }

    /// <exception cref="JsonException">It is malformed.</exception>
    public static ImageConfig ReadConfig(ReadOnlySpan<byte> json)
    {
        var config = JsonObjectReader.Read(json, "config", ImageConfig.Read);
        RejectPlatform("config", "$", Platform.FindMalformed(config.Os, config.Architecture, config.Variant, config.OsVersion));
        return config;
    }

    // A document that can be read as both is a known way to show one image to a scanner and another to a runtime (CVE-2021-41190).
    private static void RejectUnknown(string document, IReadOnlyList<JsonField> unknown, params ReadOnlySpan<string> names)
    {
        foreach (var field in unknown)
        {
            if (names.Contains(field.Name))
                throw new JsonException($"the {document} is ambiguous: it must not have '{field.Name}'");
        }
    }

    private static void RejectSizes(string document, IReadOnlyList<Descriptor> descriptors)
    {
        var total = 0L;
        foreach (var descriptor in descriptors)
        {
            if (descriptor.Size < 0)
                throw new JsonException($"the {document} has a negative size for {descriptor.Digest}");
            if (descriptor.Size > MaxBlobSize)
                throw new JsonException($"the {document} has a size of more than 1 TiB for {descriptor.Digest}");
            total += descriptor.Size;
            if (total > MaxTotalSize)
                throw new JsonException($"the {document} has sizes of more than 16 TiB together");
        }
    }

    // What has a grammar is read by it: these words stand in messages, tables, reports and files of CI systems.
    private static void RejectMalformed(string document, string path, IReadOnlyList<Descriptor> descriptors)
    {
        for (var at = 0; at < descriptors.Count; at++)
            RejectMalformed(document, $"{path}[{at}]", descriptors[at]);
    }

    private static void RejectMalformed(string document, string path, Descriptor? descriptor)
    {
        if (descriptor is null)
            return;
        RejectMediaType(document, $"{path}.mediaType", descriptor.MediaType);
        if (descriptor.Platform is { } platform)
            RejectPlatform(
                document,
                $"{path}.platform",
                Platform.FindMalformed(platform.Os, platform.Architecture, platform.Variant, platform.OsVersion)
            );
    }

    private static void RejectMediaType(string document, string path, string? mediaType)
    {
        if (mediaType is not null && !MediaTypes.IsWellFormed(mediaType))
            throw Malformed(document, path, mediaType, "a media type such as application/json");
    }

    private static void RejectPlatform(string document, string path, (string Name, string Value, string Expected)? malformed)
    {
        if (malformed is not var (name, value, expected))
            return;
        var at = name.StartsWith('[') ? path + name : $"{path}.{name}";
        throw Malformed(document, at, value, expected);
    }

    private static JsonException Malformed(string document, string path, string value, string expected) =>
        new($"the {document}'s {path} is the string '{Text.Sanitize(value)}', but must be {expected}");
}

using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using System.Text.Unicode;

namespace ImagePublish.Oci;

/// <summary>The one way that documents of the specifications become JSON and come back.</summary>
/// <remarks>
/// Written without white space and with only the escapes that JSON demands, properties always in the same order: the same document has the same bytes everywhere.
/// Read strictly: no duplicate properties, no more than 32 levels, no comments; a byte-order mark is passed over.
/// </remarks>
public static class OciJson
{
    /// <summary>The largest manifest or index that is read or written, in bytes: what registries accept.</summary>
    public const int MaxManifestSize = 4 * 1024 * 1024;

    /// <summary>The largest config that is read, in bytes.</summary>
    public const int MaxConfigSize = 4 * 1024 * 1024;

    private static readonly OciJsonContext Context = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        AllowDuplicateProperties = false,
        MaxDepth = 32,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
    });

    /// <summary>How the parts of the specifications are written, for documents of other rooms that contain them.</summary>
    public static IJsonTypeInfoResolver TypeInfoResolver => Context;

    /// <summary>Writes a manifest.</summary>
    /// <param name="manifest">The manifest.</param>
    /// <returns>Its bytes.</returns>
    public static byte[] Write(ImageManifest manifest) => JsonSerializer.SerializeToUtf8Bytes(manifest, Context.ImageManifest);

    /// <summary>Writes an index.</summary>
    /// <param name="index">The index.</param>
    /// <returns>Its bytes.</returns>
    public static byte[] Write(ImageIndex index) => JsonSerializer.SerializeToUtf8Bytes(index, Context.ImageIndex);

    /// <summary>Writes a config.</summary>
    /// <param name="config">The config.</param>
    /// <returns>Its bytes.</returns>
    public static byte[] Write(ImageConfig config) => JsonSerializer.SerializeToUtf8Bytes(config, Context.ImageConfig);

    /// <summary>Reads a manifest.</summary>
    /// <param name="json">Its bytes.</param>
    /// <returns>The manifest.</returns>
    /// <exception cref="JsonException">It is malformed, or also claims to be an index.</exception>
    public static ImageManifest ReadManifest(ReadOnlySpan<byte> json)
    {
        var manifest = Read(json, Context.ImageManifest);
        RejectUnknown(manifest.Unknown, "manifests");
        RejectNegativeSizes([manifest.Config, .. manifest.Layers]);
        return manifest;
    }

    /// <summary>Reads an index.</summary>
    /// <param name="json">Its bytes.</param>
    /// <returns>The index.</returns>
    /// <exception cref="JsonException">It is malformed, or also claims to be a manifest.</exception>
    public static ImageIndex ReadIndex(ReadOnlySpan<byte> json)
    {
        var index = Read(json, Context.ImageIndex);
        RejectUnknown(index.Unknown, "layers", "config");
        RejectNegativeSizes(index.Manifests);
        return index;
    }

    /// <summary>Reads a config.</summary>
    /// <param name="json">Its bytes.</param>
    /// <returns>The config.</returns>
    /// <exception cref="JsonException">It is malformed.</exception>
    public static ImageConfig ReadConfig(ReadOnlySpan<byte> json)
    {
        var config = Read(json, Context.ImageConfig);
        RejectNull(config.RootFs.DiffIds);
        return config;
    }

    private static T Read<T>(ReadOnlySpan<byte> json, JsonTypeInfo<T> type)
    {
        if (json.StartsWith("\uFEFF"u8))
            json = json[3..];
        if (!Utf8.IsValid(json))
            throw new JsonException("The document is not in UTF-8.");
        return JsonSerializer.Deserialize(json, type) ?? throw new JsonException("The document is null.");
    }

    // A document that can be read as both is a known way to show one image to a scanner and another to a runtime (CVE-2021-41190).
    private static void RejectUnknown(IDictionary<string, JsonElement>? unknown, params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            if (unknown?.ContainsKey(name) == true)
                throw new JsonException($"The document is ambiguous: it may not have '{name}'.");
        }
    }

    // What nullable annotations can't say of the elements of a list.
    private static void RejectNull(IEnumerable<object?> elements)
    {
        if (elements.Contains(null))
            throw new JsonException("The document has null in a list.");
    }

    private static void RejectNegativeSizes(IReadOnlyList<Descriptor> descriptors)
    {
        RejectNull(descriptors);
        foreach (var descriptor in descriptors)
        {
            if (descriptor.Size < 0)
                throw new JsonException($"The size of {descriptor.Digest} is negative.");
        }
    }
}

[JsonSerializable(typeof(ImageManifest))]
[JsonSerializable(typeof(ImageIndex))]
[JsonSerializable(typeof(ImageConfig))]
internal sealed partial class OciJsonContext : JsonSerializerContext;

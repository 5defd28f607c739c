using System.Formats.Tar;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text.Json.Nodes;

namespace ImagePublish.Tasks.Tests.Support;

/// <summary>A layer in a layout: its descriptor and its diff id.</summary>
public sealed record LayoutLayer(JsonObject Descriptor, string DiffId);

/// <summary>Writes an OCI image layout without any of the code under test.</summary>
public sealed class LayoutWriter
{
    public const string ManifestType = "application/vnd.oci.image.manifest.v1+json";
    public const string IndexType = "application/vnd.oci.image.index.v1+json";
    public const string ConfigType = "application/vnd.oci.image.config.v1+json";
    public const string LayerType = "application/vnd.oci.image.layer.v1.tar+gzip";

    private readonly string folder;
    private readonly JsonArray tagged = [];

    public LayoutWriter(string folder)
    {
        this.folder = folder;
        Directory.CreateDirectory(Path.Combine(folder, "blobs", "sha256"));
        File.WriteAllText(Path.Combine(folder, "oci-layout"), """{"imageLayoutVersion":"1.0.0"}""");
    }

    /// <summary>Packs what <paramref name="write"/> puts into a tar.</summary>
    public async Task<LayoutLayer> AddLayerAsync(Func<TarWriter, Task> write, CancellationToken cancellationToken)
    {
        var tar = Path.Combine(folder, $"{Guid.NewGuid():n}.tar");
        await using (var file = File.Create(tar))
        await using (var writer = new TarWriter(file, TarEntryFormat.Gnu))
            await write(writer);
        return await AddLayerAsync(tar, cancellationToken);
    }

    /// <summary>Takes a tar in; its file is gone afterwards.</summary>
    public async Task<LayoutLayer> AddLayerAsync(string tar, CancellationToken cancellationToken)
    {
        var packed = tar + ".gz";
        await using (var from = File.OpenRead(tar))
        await using (var to = new GZipStream(File.Create(packed), CompressionLevel.Optimal))
            await from.CopyToAsync(to, cancellationToken);
        var diffId = await DigestAsync(tar, cancellationToken);
        var digest = await DigestAsync(packed, cancellationToken);
        File.Delete(tar);
        File.Move(packed, BlobPath(digest));
        return new LayoutLayer(Descriptor(LayerType, digest, new FileInfo(BlobPath(digest)).Length), diffId);
    }

    public JsonObject AddJson(string mediaType, JsonObject content)
    {
        var bytes = System.Text.Encoding.UTF8.GetBytes(content.ToJsonString());
        var digest = $"sha256:{Convert.ToHexStringLower(SHA256.HashData(bytes))}";
        File.WriteAllBytes(BlobPath(digest), bytes);
        return Descriptor(mediaType, digest, bytes.Length);
    }

    /// <summary>Adds an image of the layers; its config gets to know them.</summary>
    /// <returns>The manifest's descriptor.</returns>
    public JsonObject AddImage(JsonObject config, params IReadOnlyList<LayoutLayer> layers)
    {
        config["rootfs"] = new JsonObject
        {
            ["type"] = "layers",
            ["diff_ids"] = new JsonArray([.. layers.Select(layer => (JsonNode)layer.DiffId)]),
        };
        return AddJson(
            ManifestType,
            new JsonObject
            {
                ["schemaVersion"] = 2,
                ["mediaType"] = ManifestType,
                ["config"] = AddJson(ConfigType, config),
                ["layers"] = new JsonArray([.. layers.Select(layer => layer.Descriptor.DeepClone())]),
            }
        );
    }

    public JsonObject AddIndex(params IEnumerable<JsonObject> manifests) =>
        AddJson(
            IndexType,
            new JsonObject
            {
                ["schemaVersion"] = 2,
                ["mediaType"] = IndexType,
                ["manifests"] = new JsonArray([.. manifests]),
            }
        );

    /// <summary>Gives a manifest or an index a name in the layout.</summary>
    public void Tag(string name, JsonObject descriptor)
    {
        var entry = descriptor.DeepClone().AsObject();
        entry["annotations"] = new JsonObject { ["org.opencontainers.image.ref.name"] = name };
        tagged.Add((JsonNode)entry);
    }

    /// <summary>Completes the layout with one image or index, and puts that into a registry under the same digest.</summary>
    /// <returns>Its reference.</returns>
    public async Task<string> PushAsync(JsonObject descriptor, DockerRegistry registry, string name, CancellationToken cancellationToken)
    {
        Tag("image", descriptor);
        Complete();
        var reference = $"{registry.Host}/{name}";
        string[] copy = ["--insecure-policy", "copy", "--quiet", "--all", "--preserve-digests", "--dest-tls-verify=false"];
        await new CommandLine("skopeo", [.. copy, $"oci:{folder}:image", $"docker://{reference}"]).SucceedAsync(cancellationToken);
        return reference;
    }

    /// <summary>Writes <c>index.json</c>; the last step.</summary>
    public void Complete()
    {
        var index = new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = IndexType,
            ["manifests"] = tagged,
        };
        File.WriteAllText(Path.Combine(folder, "index.json"), index.ToJsonString());
    }

    private string BlobPath(string digest) => Path.Combine(folder, "blobs", "sha256", digest["sha256:".Length..]);

    private static JsonObject Descriptor(string mediaType, string digest, long size) =>
        new()
        {
            ["mediaType"] = mediaType,
            ["digest"] = digest,
            ["size"] = size,
        };

    private static async Task<string> DigestAsync(string path, CancellationToken cancellationToken)
    {
        await using var stream = File.OpenRead(path);
        return $"sha256:{Convert.ToHexStringLower(await SHA256.HashDataAsync(stream, cancellationToken))}";
    }
}

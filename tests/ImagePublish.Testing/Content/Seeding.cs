using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using System.Text.Json.Nodes;

namespace ImagePublish.Testing;

/// <summary>An image that was put into a registry without a client.</summary>
public sealed record SeededImage(
    string Repository,
    string Digest,
    ReadOnlyMemory<byte> Manifest,
    string MediaType,
    string ConfigDigest,
    IReadOnlyList<string> LayerDigests
);

/// <summary>Fills registries.</summary>
public static class Seeding
{
    /// <summary>A gzipped tar of text files; the same input gives the same bytes.</summary>
    public static byte[] LayerOf(params (string Name, string Text)[] files)
    {
        using var memory = new MemoryStream();
        using (var gzip = new GZipStream(memory, CompressionLevel.Fastest, leaveOpen: true))
            gzip.Write(TarOf(files));
        return memory.ToArray();
    }

    /// <summary>A tar of text files.</summary>
    public static byte[] TarOf(params (string Name, string Text)[] files)
    {
        using var memory = new MemoryStream();
        using (var tar = new TarWriter(memory, TarEntryFormat.Ustar, leaveOpen: true))
        {
            foreach (var (name, text) in files)
            {
                tar.WriteEntry(
                    new UstarTarEntry(TarEntryType.RegularFile, name)
                    {
                        DataStream = new MemoryStream(Encoding.UTF8.GetBytes(text)),
                        Mode = (UnixFileMode)0b110_100_100,
                        ModificationTime = DateTimeOffset.UnixEpoch,
                    }
                );
            }
        }

        return memory.ToArray();
    }

    /// <summary>A small valid image with a layer of one file.</summary>
    public static SeededImage SeedImage(this TestRegistry registry, string repository, string tag, string architecture = "amd64") =>
        registry.SeedImage(repository, tag, [LayerOf(("etc/base", $"{repository} {architecture}"))], ConfigOf(architecture));

    /// <summary>A valid image of these gzipped layers; <c>rootfs</c> of the config is filled in when it isn't there.</summary>
    public static SeededImage SeedImage(
        this TestRegistry registry,
        string repository,
        string? tag,
        IReadOnlyList<byte[]> layers,
        JsonObject config,
        bool docker = false
    )
    {
        var full = config.DeepClone().AsObject();
        full.TryAdd(
            "rootfs",
            new JsonObject { ["type"] = "layers", ["diff_ids"] = new JsonArray([.. layers.Select(l => (JsonNode)DiffIdOf(l))]) }
        );
        var configBytes = Encoding.UTF8.GetBytes(full.ToJsonString());
        var type = docker ? MediaTypes.DockerManifest : MediaTypes.OciManifest;
        var manifest = Encoding.UTF8.GetBytes(
            new JsonObject
            {
                ["schemaVersion"] = 2,
                ["mediaType"] = type,
                ["config"] = Descriptor(docker ? MediaTypes.DockerConfig : MediaTypes.OciConfig, configBytes),
                ["layers"] = new JsonArray([
                    .. layers.Select(l => Descriptor(docker ? MediaTypes.DockerLayerGzip : MediaTypes.OciLayerGzip, l)),
                ]),
            }.ToJsonString()
        );
        var layerDigests = layers.Select(l => registry.Content.PutBlob(repository, l)).ToArray();
        var configDigest = registry.Content.PutBlob(repository, configBytes);
        var digest = registry.Content.PutManifest(repository, tag, manifest, type);
        return new(repository, digest, manifest, type, configDigest, layerDigests);
    }

    /// <summary>An index of images that are in the repository already.</summary>
    /// <returns>Its digest.</returns>
    public static string SeedIndex(
        this TestRegistry registry,
        string repository,
        string? tag,
        params (SeededImage Image, JsonObject Platform)[] images
    )
    {
        var index = new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = MediaTypes.OciIndex,
            ["manifests"] = new JsonArray([.. images.Select(i => Child(i.Image, i.Platform))]),
        };
        return registry.Content.PutManifest(repository, tag, Encoding.UTF8.GetBytes(index.ToJsonString()), MediaTypes.OciIndex);
    }

    /// <summary>An index of two small images, linux/amd64 and linux/arm64.</summary>
    public static string SeedIndex(this TestRegistry registry, string repository, string tag) =>
        registry.SeedIndex(
            repository,
            tag,
            [
                (registry.SeedImage(repository, null, [LayerOf(("etc/base", "amd64"))], ConfigOf("amd64")), PlatformOf("amd64")),
                (registry.SeedImage(repository, null, [LayerOf(("etc/base", "arm64"))], ConfigOf("arm64")), PlatformOf("arm64")),
            ]
        );

    public static JsonObject PlatformOf(string architecture) => new() { ["architecture"] = architecture, ["os"] = "linux" };

    public static JsonObject ConfigOf(string architecture) =>
        new()
        {
            ["architecture"] = architecture,
            ["os"] = "linux",
            ["config"] = new JsonObject { ["Env"] = new JsonArray("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin") },
        };

    private static JsonObject Child(SeededImage image, JsonObject platform) =>
        new()
        {
            ["mediaType"] = image.MediaType,
            ["digest"] = image.Digest,
            ["size"] = image.Manifest.Length,
            ["platform"] = platform.DeepClone(),
        };

    private static JsonNode Descriptor(string mediaType, byte[] bytes) =>
        new JsonObject
        {
            ["mediaType"] = mediaType,
            ["digest"] = Digests.Sha256(bytes),
            ["size"] = bytes.Length,
        };

    private static string DiffIdOf(byte[] layer)
    {
        using var gzip = new GZipStream(new MemoryStream(layer), CompressionMode.Decompress);
        using var memory = new MemoryStream();
        gzip.CopyTo(memory);
        return Digests.Sha256(memory.ToArray());
    }
}

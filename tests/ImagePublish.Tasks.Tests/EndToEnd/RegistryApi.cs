using System.Formats.Tar;
using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using ImagePublish.Tasks.Tests.Support;

namespace ImagePublish.Tasks.Tests.EndToEnd;

/// <summary>A manifest as a registry serves it.</summary>
public sealed record ServedManifest(string Digest, string MediaType, long Size, JsonElement Json)
{
    public IReadOnlyList<JsonElement> Layers => [.. Json.GetProperty("layers").EnumerateArray()];
}

/// <summary>What a registry has, asked for over its API and with no code of the product.</summary>
public static class RegistryApi
{
    private static readonly HttpClient Http = new();

    private static readonly string[] Types =
    [
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.docker.distribution.manifest.v2+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
    ];

    public static async Task<ServedManifest> ManifestAsync(
        this DockerRegistry registry,
        string repository,
        string reference,
        CancellationToken cancellationToken
    )
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(registry.Uri, $"v2/{repository}/manifests/{reference}"));
        foreach (var type in Types)
            request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue(type));
        using var response = await Http.SendAsync(request, cancellationToken);
        response.EnsureSuccessStatusCode();
        var bytes = await response.Content.ReadAsByteArrayAsync(cancellationToken);
        return new ServedManifest(
            response.Headers.GetValues("Docker-Content-Digest").Single(),
            response.Content.Headers.ContentType!.MediaType!,
            bytes.Length,
            Parse(bytes)
        );
    }

    /// <summary>The config of an image for one platform.</summary>
    public static async Task<JsonElement> ConfigAsync(
        this DockerRegistry registry,
        string repository,
        string reference,
        CancellationToken cancellationToken
    )
    {
        var manifest = await registry.ManifestAsync(repository, reference, cancellationToken);
        return await registry.BlobAsync(
            repository,
            manifest.Json.GetProperty("config").GetProperty("digest").GetString()!,
            cancellationToken
        );
    }

    /// <summary>A blob that is JSON.</summary>
    public static async Task<JsonElement> BlobAsync(
        this DockerRegistry registry,
        string repository,
        string digest,
        CancellationToken cancellationToken
    ) => Parse(await Http.GetByteArrayAsync(new Uri(registry.Uri, $"v2/{repository}/blobs/{digest}"), cancellationToken));

    /// <summary>What a layer puts into an image, as GNU tar shows it: mode, owner, path, a link's target; in the layer's order.</summary>
    public static async Task<IReadOnlyList<string>> EntriesAsync(
        this DockerRegistry registry,
        string repository,
        JsonElement layer,
        CancellationToken cancellationToken
    )
    {
        var blob = await Http.GetByteArrayAsync(
            new Uri(registry.Uri, $"v2/{repository}/blobs/{layer.GetProperty("digest").GetString()}"),
            cancellationToken
        );
        await using var tar = new TarReader(new GZipStream(new MemoryStream(blob), CompressionMode.Decompress));
        var entries = new List<string>();
        while (await tar.GetNextEntryAsync(cancellationToken: cancellationToken) is { } entry)
            entries.Add(
                $"{Convert.ToString((int)entry.Mode, 8)} {entry.Uid}:{entry.Gid} {entry.Name}{(entry.LinkName.Length > 0 ? " -> " : "")}{entry.LinkName}"
            );
        return entries;
    }

    /// <summary>The files of an image for one platform, by their paths; of all layers, without what later ones remove.</summary>
    public static async Task<Dictionary<string, byte[]>> FilesAsync(
        this DockerRegistry registry,
        string repository,
        string reference,
        CancellationToken cancellationToken
    )
    {
        var files = new Dictionary<string, byte[]>();
        foreach (var layer in (await registry.ManifestAsync(repository, reference, cancellationToken)).Layers)
        {
            var blob = await Http.GetByteArrayAsync(
                new Uri(registry.Uri, $"v2/{repository}/blobs/{layer.GetProperty("digest").GetString()}"),
                cancellationToken
            );
            await using var tar = new TarReader(new GZipStream(new MemoryStream(blob), CompressionMode.Decompress));
            while (await tar.GetNextEntryAsync(cancellationToken: cancellationToken) is { } entry)
            {
                if (entry.EntryType is not (TarEntryType.RegularFile or TarEntryType.V7RegularFile))
                    continue;
                using var content = new MemoryStream();
                if (entry.DataStream is { } stream)
                    await stream.CopyToAsync(content, cancellationToken);
                files[entry.Name] = content.ToArray();
            }
        }

        return files;
    }

    /// <summary>A repository's tags in order; none if it does not exist.</summary>
    public static async Task<IReadOnlyList<string>> TagsAsync(
        this DockerRegistry registry,
        string repository,
        CancellationToken cancellationToken
    )
    {
        using var response = await Http.GetAsync(new Uri(registry.Uri, $"v2/{repository}/tags/list"), cancellationToken);
        if (response.StatusCode == HttpStatusCode.NotFound)
            return [];
        var tags = Parse(await response.EnsureSuccessStatusCode().Content.ReadAsByteArrayAsync(cancellationToken)).GetProperty("tags");
        return tags.ValueKind == JsonValueKind.Null
            ? []
            : [.. tags.EnumerateArray().Select(tag => tag.GetString()!).Order(StringComparer.Ordinal)];
    }

    /// <summary>Pushes a blob.</summary>
    /// <returns>Its descriptor.</returns>
    public static async Task<JsonObject> PutBlobAsync(
        this DockerRegistry registry,
        string repository,
        string mediaType,
        byte[] content,
        CancellationToken cancellationToken
    )
    {
        var descriptor = Describe(mediaType, content);
        using var begun = await Http.PostAsync(new Uri(registry.Uri, $"v2/{repository}/blobs/uploads/"), null, cancellationToken);
        using var body = new ByteArrayContent(content);
        var place = new Uri($"{begun.EnsureSuccessStatusCode().Headers.Location}&digest={descriptor["digest"]}");
        using var ended = await Http.PutAsync(place, body, cancellationToken);
        ended.EnsureSuccessStatusCode();
        return descriptor;
    }

    /// <summary>Pushes a manifest or an index of OCI.</summary>
    /// <param name="tag">A tag; null: only by its digest.</param>
    /// <returns>Its descriptor.</returns>
    public static async Task<JsonObject> PutManifestAsync(
        this DockerRegistry registry,
        string repository,
        string? tag,
        JsonObject manifest,
        CancellationToken cancellationToken
    )
    {
        var bytes = Encoding.UTF8.GetBytes(manifest.ToJsonString());
        var descriptor = Describe(manifest["mediaType"]!.GetValue<string>(), bytes);
        using var body = new ByteArrayContent(bytes);
        body.Headers.ContentType = new MediaTypeHeaderValue(manifest["mediaType"]!.GetValue<string>());
        var reference = tag ?? descriptor["digest"]!.GetValue<string>();
        using var put = await Http.PutAsync(new Uri(registry.Uri, $"v2/{repository}/manifests/{reference}"), body, cancellationToken);
        put.EnsureSuccessStatusCode();
        return descriptor;
    }

    private static JsonObject Describe(string mediaType, byte[] content) =>
        new()
        {
            ["mediaType"] = mediaType,
            ["digest"] = $"sha256:{Convert.ToHexStringLower(SHA256.HashData(content))}",
            ["size"] = content.Length,
        };

    private static JsonElement Parse(byte[] json)
    {
        using var document = JsonDocument.Parse(json);
        return document.RootElement.Clone();
    }
}

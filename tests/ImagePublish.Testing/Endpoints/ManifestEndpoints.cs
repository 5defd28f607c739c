using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace ImagePublish.Testing;

/// <summary>HEAD, GET, PUT and DELETE of manifests.</summary>
internal sealed partial class ManifestEndpoints(TestRegistry registry)
{
    private ContentOptions Options => registry.Options.Content;

    public Task GetAsync(Exchange exchange)
    {
        if (!registry.Content.HasRepository(exchange.Repository))
            return exchange.ErrorAsync(404, "NAME_UNKNOWN", "repository name not known to registry");
        if (Find(exchange) is not { } manifest)
            return exchange.ErrorAsync(404, "MANIFEST_UNKNOWN", "manifest unknown", exchange.Reference);
        if (Options.CheckAccept && !Accepts(exchange.Record.Header("Accept"), manifest.MediaType))
            return exchange.ErrorAsync(404, "MANIFEST_UNKNOWN", $"the manifest is {manifest.MediaType}, which the client doesn't accept");
        exchange.Header("Docker-Content-Digest", DigestOf(exchange.Reference, manifest));
        return exchange.BodyAsync(200, manifest.Bytes, manifest.MediaType);
    }

    public async Task PutAsync(Exchange exchange)
    {
        if (await ReadAsync(exchange) is not { } bytes)
            await exchange.ErrorAsync(413, "MANIFEST_INVALID", $"the manifest is larger than {Options.MaxManifestBytes} bytes");
        else if (Problem(exchange, bytes, out var manifest) is { } problem)
            await exchange.ErrorAsync(problem.Status, problem.Code, problem.Message, problem.Detail);
        else
            Store(exchange, bytes, manifest!);
    }

    public Task DeleteAsync(Exchange exchange)
    {
        if (!Options.DeleteManifests)
            return exchange.ErrorAsync(405, "UNSUPPORTED", "the operation is unsupported");
        if (!registry.Content.Delete(exchange.Repository, exchange.Reference))
            return exchange.ErrorAsync(404, "MANIFEST_UNKNOWN", "manifest unknown", exchange.Reference);
        exchange.Status(202);
        return Task.CompletedTask;
    }

    private StoredManifest? Find(Exchange exchange)
    {
        var meant = Options.TagsMeanDigests
            ? registry.Content.Manifest(exchange.Repository, exchange.Reference.Replace("sha256-", "sha256:", StringComparison.Ordinal))
            : null;
        return meant ?? registry.Content.Manifest(exchange.Repository, exchange.Reference);
    }

    private void Store(Exchange exchange, byte[] bytes, JsonObject manifest)
    {
        var isDigest = exchange.Reference.Contains(':', StringComparison.Ordinal);
        var stored = new StoredManifest(bytes, MediaType(exchange));
        var digest = isDigest ? exchange.Reference : stored.Digest;
        registry.Content.Put(exchange.Repository, isDigest ? null : exchange.Reference, stored, digest);
        exchange.Header("Location", $"/v2/{exchange.Repository}/manifests/{digest}");
        exchange.Header("Docker-Content-Digest", digest);
        if (Options.Referrers && ManifestText.Text(manifest["subject"], "digest") is { } subject)
            exchange.Header("OCI-Subject", subject);
        exchange.Status(201);
    }

    private Refusal? Problem(Exchange exchange, byte[] bytes, out JsonObject? manifest)
    {
        var type = MediaType(exchange);
        manifest = ManifestText.Parse(bytes);
        if (Options.Repositories?.Contains(exchange.Repository) == false)
            return new(404, "NAME_UNKNOWN", "repository name not known to registry");
        if (Options.RefuseDockerTypes && type.Contains("docker", StringComparison.Ordinal))
            return new(415, "MANIFEST_INVALID", $"{type} is not supported");
        if (manifest is null)
            return new(400, "MANIFEST_INVALID", "the manifest is no JSON object");
        return ReferenceProblem(exchange.Repository, exchange.Reference, bytes)
            ?? FormProblem(manifest, type)
            ?? (Options.CheckReferences ? Missing(exchange.Repository, manifest) : null);
    }

    private Refusal? ReferenceProblem(string repository, string reference, byte[] bytes)
    {
        if (reference.Contains(':', StringComparison.Ordinal))
            return
                !Digests.IsValid(reference)
                || reference != (reference.StartsWith("sha512", StringComparison.Ordinal) ? Digests.Sha512(bytes) : Digests.Sha256(bytes))
                ? new(400, "DIGEST_INVALID", "provided digest did not match uploaded content", reference)
                : null;
        if (!Tag().IsMatch(reference))
            return new(400, "TAG_INVALID", "manifest tag did not match URI", reference);
        return
            Options.ImmutableTagStatus is { } status
            && Options.ImmutableTags(reference)
            && registry.Content.Tags(repository).TryGetValue(reference, out var now)
            && now != Digests.Sha256(bytes)
            ? new(status, status == 412 ? "PRECONDITION" : "TAG_INVALID", $"the tag {reference} is immutable and exists", reference)
            : null;
    }

    private Refusal? FormProblem(JsonObject manifest, string type) =>
        type.Length == 0 ? new(400, "MANIFEST_INVALID", "the Content-Type is missing")
        : ManifestText.Text(manifest, "mediaType") is { } inner && inner != type
            ? new(400, "MANIFEST_INVALID", $"mediaType {inner} is not the Content-Type {type}")
        : manifest.ContainsKey("manifests") && (manifest.ContainsKey("layers") || manifest.ContainsKey("config"))
            ? new(400, "MANIFEST_INVALID", "the manifest is an index and an image at once")
        : Options.RefuseUrls && ManifestText.HasUrls(manifest) ? new(400, "MANIFEST_INVALID", "invalid URL on layer")
        : null;

    private Refusal? Missing(string repository, JsonObject manifest)
    {
        foreach (var blob in ManifestText.Blobs(manifest))
        {
            if (ManifestText.Text(blob, "digest") is not { } digest || registry.Content.FindBlob(repository, digest) is not { } data)
                return new(Options.BlobUnknownStatus, "MANIFEST_BLOB_UNKNOWN", "blob unknown to registry", blob.DeepClone());
            if (blob["size"]?.GetValue<long>() != data.Size)
                return new(400, "SIZE_INVALID", $"the blob has {data.Size} bytes", blob.DeepClone());
        }

        return
            ManifestText
                .Children(manifest)
                .FirstOrDefault(c =>
                    ManifestText.Text(c, "digest") is not { } digest || registry.Content.Manifest(repository, digest) is null
                )
                is { } child
            ? new(Options.BlobUnknownStatus, "MANIFEST_BLOB_UNKNOWN", "manifest unknown to registry", child.DeepClone())
            : null;
    }

    private async Task<byte[]?> ReadAsync(Exchange exchange)
    {
        using var memory = new MemoryStream();
        var buffer = new byte[64 << 10];
        for (int read; (read = await exchange.Http.Request.Body.ReadAsync(buffer, exchange.Cancelled)) > 0; )
        {
            if (memory.Length + read > Options.MaxManifestBytes)
                return null;
            await memory.WriteAsync(buffer.AsMemory(0, read), exchange.Cancelled);
        }

        return memory.ToArray();
    }

    private static string MediaType(Exchange exchange) => (exchange.Record.Header("Content-Type") ?? "").Split(';')[0].Trim();

    private static string DigestOf(string reference, StoredManifest manifest) =>
        reference.StartsWith("sha512:", StringComparison.Ordinal) ? reference : manifest.Digest;

    private static bool Accepts(string? accept, string mediaType) =>
        accept?.Split(',').Select(a => a.Split(';')[0].Trim()).Any(a => a == mediaType || a is "*/*" or "application/*") == true;

    [GeneratedRegex("^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$")]
    private static partial Regex Tag();

    private sealed record Refusal(int Status, string Code, string Message, JsonNode? Detail = null);
}

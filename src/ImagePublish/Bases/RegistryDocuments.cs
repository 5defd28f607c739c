using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Registries;
using ImagePublish.Storage;

namespace ImagePublish.Bases;

/// <summary>An image's documents.</summary>
internal sealed record ImageDocuments(
    MemoryBlobSource ManifestBlob,
    ImageManifest Manifest,
    MemoryBlobSource ConfigBlob,
    ImageConfig Config
)
{
    public Image In(RegistryClient registries, Repository repository) =>
        new(ManifestBlob, ConfigBlob, Config, Layers(registries, repository));

    public IReadOnlyList<Layer> Layers(RegistryClient registries, Repository repository) =>
        [
            .. Manifest.Layers.Zip(Config.RootFs.DiffIds, (descriptor, diffId) =>
                new Layer(descriptor, diffId, MediaTypes.IsForeign(descriptor.MediaType) ? null : registries.Blob(repository, descriptor))
            ),
        ];
}

/// <summary>Manifests, indexes and configs of images in registries. What has a digest is fetched once and then kept in
/// the local store.</summary>
internal sealed class RegistryDocuments(RegistryClient registries, ImageStore store, SharedReferences? shared = null)
{
    private const string Kind = "documents";

    private readonly ConcurrentDictionary<Reference, Lazy<Task<Descriptor?>>> current = new();

    /// <summary>Whether the local store has any. A machine without, such as that of a CI job, needs all of an image's.</summary>
    public bool HasAny => !store.Records.IsEmpty(Kind);

    /// <summary>What a reference points at now: asked once, however often a publish needs it.</summary>
    public Task<Descriptor?> CurrentAsync(Reference reference, CancellationToken cancellationToken) =>
        CurrentAsync(reference, cancelled => registries.FindManifestAsync(reference, cancelled), cancellationToken);

    /// <summary>Finds the manifest or index that a reference points at now.</summary>
    public async Task<MemoryBlobSource?> FindAsync(Reference reference, CancellationToken cancellationToken)
    {
        if (shared?.EarlyReading is { } reading)
            await reading.WaitAsync(cancellationToken);
        if (Refusal is { } refusal)
            throw refusal;
        if (reference.Digest is null)
        {
            if (await CurrentAsync(reference, cancelled => FindDocumentAsync(reference, cancelled), cancellationToken) is not { } found)
                return null;
            reference = reference.Pinned(found.Digest);
        }

        if (await FindStoredAsync(reference.Digest!, cancellationToken) is { } known)
            return known;
        return await FetchAsync(reference, cancellationToken);
    }

    // Without documents, a digest would only be followed by a request for its document.
    private async Task<Descriptor?> FindDocumentAsync(Reference reference, CancellationToken cancellationToken) =>
        HasAny
            ? await registries.FindManifestAsync(reference, cancellationToken)
            : (await FetchAsync(reference, cancellationToken))?.Descriptor;

    private async Task<MemoryBlobSource?> FetchAsync(Reference reference, CancellationToken cancellationToken)
    {
        if (await registries.TryGetManifestAsync(reference, cancellationToken) is not { } remote)
            return null;
        await RememberAsync(remote.Content, cancellationToken);
        return remote.Content;
    }

    // The base's registry has refused the credential: there is no image, and it is not sent again.
    private ImagePublishException? Refusal => shared?.EarlyReading is { IsCompletedSuccessfully: true } reading ? reading.Result : null;

    private Task<Descriptor?> CurrentAsync(
        Reference reference,
        Func<CancellationToken, Task<Descriptor?>> ask,
        CancellationToken cancellationToken
    ) =>
        Refusal is { } refusal ? Task.FromException<Descriptor?>(refusal)
        : shared?.References.Contains(reference) == true ? shared.Answers.FindAsync(reference, ask, cancellationToken)
        : current.GetOrAdd(reference, _ => new(() => ask(cancellationToken))).Value;

    /// <summary>The image for a platform that a document stands for: itself, or an entry of the index that it is.</summary>
    /// <exception cref="JsonException">A document is malformed.</exception>
    public async Task<ImageDocuments?> ReadImageAsync(
        Repository repository,
        MemoryBlobSource document,
        Func<ImageIndex, Descriptor?> choose,
        CancellationToken cancellationToken
    )
    {
        Platform? platform = null;
        if (MediaTypes.IsIndex(document.Descriptor.MediaType))
        {
            if (
                choose(OciJson.ReadIndex(document.Content.Span)) is not { } child
                || await FindAsync(repository.ReferenceTo(child.Digest), cancellationToken) is not { } chosen
            )
                return null;
            document = chosen;
            platform = child.Platform;
        }

        if (!MediaTypes.IsManifest(document.Descriptor.MediaType))
            return null;
        var manifest = OciJson.ReadManifest(document.Content.Span);
        var configBlob = await ConfigAsync(repository, manifest.Config, cancellationToken);
        var config = OciJson.ReadConfig(configBlob.Content.Span).WithPlatform(platform);
        return manifest.Layers.Count == config.RootFs.DiffIds.Count
            ? new ImageDocuments(document, manifest, configBlob, config)
            : throw new JsonException($"it has {manifest.Layers.Count} layers but {config.RootFs.DiffIds.Count} diff ids");
    }

    public async Task<Image?> FindStoredImageAsync(Digest digest, Repository repository, CancellationToken cancellationToken)
    {
        if (await FindStoredAsync(digest, cancellationToken) is not { } document)
            return null;
        var manifest = OciJson.ReadManifest(document.Content.Span);
        if (await FindStoredAsync(manifest.Config.Digest, cancellationToken) is not { } configBlob)
            return null;
        var config = OciJson.ReadConfig(configBlob.Content.Span);
        return new ImageDocuments(document, manifest, configBlob, config).In(registries, repository);
    }

    public async Task<MemoryBlobSource> ConfigAsync(Repository repository, Descriptor descriptor, CancellationToken cancellationToken)
    {
        if (await FindStoredAsync(descriptor.Digest, cancellationToken) is { } known)
            return known;
        var config = new MemoryBlobSource(
            descriptor,
            await registries.GetBlobAsync(repository, descriptor, OciJson.MaxConfigSize, cancellationToken)
        );
        await RememberAsync(config, cancellationToken);
        return config;
    }

    public Task RememberAsync(MemoryBlobSource document, CancellationToken cancellationToken)
    {
        byte[] record = [.. Encoding.UTF8.GetBytes(document.Descriptor.MediaType + "\n"), .. document.Content.Span];
        return store.Records.WriteIfSmallAsync(Kind, document.Descriptor.Digest, record, cancellationToken);
    }

    /// <summary>A document that was remembered, without asking a registry.</summary>
    public async Task<MemoryBlobSource?> FindStoredAsync(Digest digest, CancellationToken cancellationToken)
    {
        if (digest.Algorithm != "sha256" || await store.Records.ReadAsync(Kind, digest, cancellationToken) is not { } record)
            return null;
        var end = Array.IndexOf(record, (byte)'\n');
        if (end < 0 || Digest.Compute(record.AsSpan(end + 1)) != digest)
            return null;
        var content = record.AsMemory(end + 1);
        return new MemoryBlobSource(new Descriptor(Encoding.UTF8.GetString(record, 0, end), digest, content.Length), content);
    }
}

using ImagePublish.Bases;
using ImagePublish.Diagnostics;
using ImagePublish.Images;
using ImagePublish.Layers;
using ImagePublish.Oci;
using ImagePublish.Storage;

namespace ImagePublish.LayerReuse;

/// <summary>A layer that was looked up: it is known, or its files are yet to be compressed.</summary>
/// <param name="Key">The key of its content; null where its files can't be identified by their contents.</param>
/// <param name="DiffId">The digest of its tar; null if there was nowhere to look it up, so that it was not computed.</param>
internal sealed record LayerCandidate(LayerInput Content, Digest? Key, Digest? DiffId, Layer? Known)
{
    /// <summary>
    /// For a layer of packages whose tar's digest is not known yet: the key of their names and hashes that it is remembered by.
    /// </summary>
    public Digest? PackagesKey { get; init; }
}

/// <summary>Everything that layers are looked up in.</summary>
internal sealed record LayerSources
{
    public required PublishedFiles Files { get; init; }

    public required ImageStore Store { get; init; }

    public required LayerCache Cache { get; init; }

    public required RegistryLayerCache Registries { get; init; }

    /// <summary>Where the hashes of built layers' files are remembered; null where nobody asks for them.</summary>
    public BaseFiles? Listings { get; init; }

    /// <summary>The layers that are built while the project compiles; null if none are.</summary>
    public EarlyLayerBuild? EarlyBuild { get; init; }
}

/// <summary>Builds layers, or finds that they were made before: on this machine, or for an image in a registry.</summary>
internal sealed class LayerProducer(LayerSources sources, ILayerOutput output, LayerCompression compression, IPublishLog log)
{
    /// <summary>Looks a layer up by the digest of its tar, which costs a tenth of compressing it.</summary>
    public Task<LayerCandidate> LookUpAsync(LayerInput content, CancellationToken cancellationToken) =>
        LayerSpans.FindAsync(content, () => FindCandidateAsync(content, cancellationToken));

    private async Task<LayerCandidate> FindCandidateAsync(LayerInput content, CancellationToken cancellationToken)
    {
        var key = await sources.Files.ComputeKeyAsync(content);
        if (key is not null && sources.EarlyBuild is { } early && early.IsBuilding(key))
            await WaitForAsync(early, content, key, cancellationToken);
        var diffId = await FindDiffIdAsync(content, key, cancellationToken);
        var known = diffId is null ? null : await FindAsync(content, diffId, cancellationToken);
        return new LayerCandidate(content, key, diffId, known);
    }

    /// <summary>
    /// Looks up a layer of packages that <see cref="FindByKeyAsync"/> does not find, so that it is found by it next time.
    /// </summary>
    public async Task<LayerCandidate> LookUpPackagesAsync(LayerInput content, Digest key, CancellationToken cancellationToken)
    {
        var candidate = await LookUpAsync(content, cancellationToken);
        if (candidate.DiffId is null)
            return candidate with { PackagesKey = key };
        await output.RememberDiffIdAsync(key, candidate.DiffId, cancellationToken);
        return candidate;
    }

    /// <summary>Looks up a layer whose tar's digest was remembered under a key. Its files are not needed.</summary>
    public async Task<LayerCandidate?> FindByKeyAsync(string name, Digest key, CancellationToken cancellationToken)
    {
        if (await sources.Cache.FindDiffIdAsync(key, cancellationToken) is not { } diffId)
            return null;
        // Which package a file is from is known where the layer is laid out.
        if (sources.Listings is { } listings && await listings.FindHashedAsync(diffId, cancellationToken) is null)
            return null;
        var content = LayerInput.Create(name, []);
        return await FindAsync(content, diffId, cancellationToken) is { } known ? new LayerCandidate(content, null, diffId, known) : null;
    }

    public async Task<NamedLayer> ProduceAsync(LayerCandidate candidate, ImageFormat format, CancellationToken cancellationToken)
    {
        var layer = candidate.Known ?? await BuildOnceAsync(candidate, format, cancellationToken);
        if (candidate.PackagesKey is { } key)
            await output.RememberDiffIdAsync(key, layer.DiffId, cancellationToken);
        return new NamedLayer(candidate.Content.Name, layer);
    }

    private async Task<Layer?> FindAsync(LayerInput content, Digest diffId, CancellationToken cancellationToken)
    {
        if (await FindLocalAsync(content, diffId, cancellationToken) is { } local)
            return local;
        if (await sources.Registries.FindAsync(diffId, compression.Compression, cancellationToken) is not { } layer)
            return null;
        LogFound(content, layer, $"is unchanged, known to {layer.Source!.Repository}");
        return layer;
    }

    private async Task<Layer?> FindLocalAsync(LayerInput content, Digest diffId, CancellationToken cancellationToken)
    {
        if (
            await sources.Cache.FindAsync(diffId, compression.Key, cancellationToken) is not { } descriptor
            || sources.Store.FindBlob(descriptor) is not { } blob
        )
            return null;
        var layer = new Layer(descriptor, diffId, blob) { IsNew = sources.EarlyBuild?.HasBuilt(diffId) == true };
        LogFound(content, layer, layer.IsNew ? "was built while the project was" : "is unchanged, known to this machine");
        return layer;
    }

    private void LogFound(LayerInput content, Layer layer, string how) =>
        log.Detail($"Layer '{content.Name}' {how}: {layer.Descriptor.Digest}, {layer.Descriptor.Size} bytes.");

    private async Task WaitForAsync(EarlyLayerBuild early, LayerInput content, Digest key, CancellationToken cancellationToken)
    {
        // What a registry has is found there sooner than it is built.
        if (await sources.Registries.ExistAsync())
            early.Cancel();
        log.Building(content.Name, content.ContentLength);
        await early.WaitForAsync(key, bytes => log.Compressed(content.Name, bytes), cancellationToken);
        log.Built(content.Name);
    }

    private async Task<Digest?> FindDiffIdAsync(LayerInput content, Digest? key, CancellationToken cancellationToken)
    {
        if (key is not null && await sources.Cache.FindDiffIdAsync(key, cancellationToken) is { } known)
            return known;
        var diffId = await ComputeDiffIdAsync(content, hasKey: key is not null, cancellationToken);
        if (diffId is not null)
            await RememberDiffIdAsync(content, key, diffId, cancellationToken);
        return diffId;
    }

    // Where no layer was ever built and none was pushed there is none to find: then the files are read once instead of twice.
    private async Task<Digest?> ComputeDiffIdAsync(LayerInput content, bool hasKey, CancellationToken cancellationToken)
    {
        if (hasKey && sources.Registries.AreNone)
            return null;
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await content.FetchFilesAsync(cancellationToken);
        var hashing = LayerTar.DiffIdAsync(content, stop.Token);
        try
        {
            return (hasKey || sources.Cache.IsEmpty) && !await sources.Registries.ExistAsync() ? null : await hashing;
        }
        finally
        {
            await stop.CancelAsync();
            await ((Task)hashing).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    // Two projects that are published by two processes have the same packages: what the one builds, the other takes.
    private async Task<Layer> BuildOnceAsync(LayerCandidate candidate, ImageFormat format, CancellationToken cancellationToken)
    {
        if ((candidate.Key ?? candidate.DiffId) is not { } content)
            return await BuildAsync(candidate, format, cancellationToken);
        using var held = await output.LockAsync(content, compression, candidate.Content.Name, cancellationToken);
        var diffId = candidate.DiffId ?? await sources.Cache.FindDiffIdAsync(content, cancellationToken);
        var built = diffId is null ? null : await FindLocalAsync(candidate.Content, diffId, cancellationToken);
        return built ?? await BuildAsync(candidate, format, cancellationToken);
    }

    private Task<Layer> BuildAsync(LayerCandidate candidate, ImageFormat format, CancellationToken cancellationToken) =>
        LayerSpans.BuildAsync(candidate.Content, () => BuildNowAsync(candidate, format, cancellationToken), layer => layer.Descriptor);

    private async Task<Layer> BuildNowAsync(LayerCandidate candidate, ImageFormat format, CancellationToken cancellationToken)
    {
        var content = candidate.Content;
        await content.FetchFilesAsync(cancellationToken);
        var layer = await output.WriteAsync(
            content.Name,
            stream => CompressAsync(candidate, format, stream, cancellationToken),
            cancellationToken
        );
        await RememberDiffIdAsync(content, candidate.Key, layer.DiffId, cancellationToken);
        var repository = await sources.Registries.FindRepositoryAsync(layer.Descriptor.Digest);
        await output.RememberBlobAsync(layer, compression, repository, cancellationToken);
        return layer;
    }

    private async Task<BuiltLayer> CompressAsync(
        LayerCandidate candidate,
        ImageFormat format,
        Stream stream,
        CancellationToken cancellationToken
    )
    {
        var content = candidate.Content;
        log.Building(content.Name, content.ContentLength);
        using var hasher = sources.Listings is null ? null : new LayerHasher();
        var options = new LayerBuildOptions(compression, format)
        {
            Compressed = bytes => log.Compressed(content.Name, bytes),
            Hasher = hasher,
        };
        var built = await LayerBuilder.BuildAsync(content, options, stream, cancellationToken);
        log.Built(content.Name);
        if (candidate.DiffId is null || candidate.DiffId == built.DiffId)
        {
            if (hasher is not null)
                await BaseFiles.RememberAsync(sources.Store, built.DiffId, LayerListing.Create(content, hasher.Files), cancellationToken);
            return built;
        }

        if (candidate.Key is not null)
            sources.Cache.ForgetDiffId(candidate.Key);
        throw new ImagePublishException(
            DiagnosticCodes.UnreadableFile,
            $"Files of layer '{content.Name}' changed while they were read. Publish again when nothing writes to the publish folder."
        );
    }

    private Task RememberDiffIdAsync(LayerInput content, Digest? key, Digest diffId, CancellationToken cancellationToken) =>
        key is not null && sources.Files.AreUnmodified(content)
            ? output.RememberDiffIdAsync(key, diffId, cancellationToken)
            : Task.CompletedTask;
}

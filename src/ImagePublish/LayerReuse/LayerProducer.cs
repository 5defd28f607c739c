using ImagePublish.Destinations;
using ImagePublish.Diagnostics;
using ImagePublish.Images;
using ImagePublish.Layers;
using ImagePublish.Oci;
using ImagePublish.Storage;

namespace ImagePublish.LayerReuse;

/// <summary>Makes layers of files, or finds that they were made before: on this machine, or for an image that a registry has.</summary>
internal sealed class LayerProducer(
    ImageStore store,
    LayerCache cache,
    RegistryLayerCache earlier,
    PublishedFiles files,
    IPublishLog log,
    EarlyLayerBuild? headStart = null,
    bool isPlan = false
)
{
    /// <summary>A layer that is known, or whose files are yet to be compressed.</summary>
    /// <param name="DiffId">The digest of their tar; null if there was nowhere to look it up, so that it was not computed.</param>
    internal sealed record Candidate(LayerInput Content, Digest? Key, Digest? DiffId, Layer? Known);

    /// <summary>Looks a layer up by the digest of its tar, which costs a tenth of compressing it.</summary>
    public async Task<Candidate> LookUpAsync(LayerInput content, LayerCompression compression, CancellationToken cancellationToken)
    {
        var key = await files.KeyOfAsync(content);
        if (key is not null && headStart?.IsUnderWay(key) == true)
            await SettleAsync(headStart, content, key, cancellationToken);
        var unknown = new Candidate(content, key, await DiffIdAsync(content, key, cancellationToken), null);
        return unknown.DiffId is null ? unknown : await FindAsync(unknown, compression, cancellationToken);
    }

    /// <summary>Looks a layer up whose tar's digest is known.</summary>
    /// <param name="unknown">The layer; its content may be empty but for the name, where it is of use only if it is known.</param>
    public async Task<Candidate> FindAsync(Candidate unknown, LayerCompression compression, CancellationToken cancellationToken)
    {
        var diffId = unknown.DiffId!;
        if (await FindLocalAsync(unknown.Content, diffId, compression, cancellationToken) is { } kept)
            return unknown with { Known = kept };
        if (await earlier.FindAsync(diffId, compression.Compression, cancellationToken) is not { } layer)
            return unknown;
        LogFound(unknown.Content, layer, $"is unchanged, known to {layer.Source!.Repository}");
        return unknown with { Known = layer };
    }

    private async Task<Layer?> FindLocalAsync(
        LayerInput content,
        Digest diffId,
        LayerCompression compression,
        CancellationToken cancellationToken
    )
    {
        if (await cache.FindAsync(diffId, compression.Key, cancellationToken) is not { } known || store.FindBlob(known) is not { } blob)
            return null;
        var layer = new Layer(known, diffId, blob) { IsNew = headStart?.Made(diffId) == true };
        LogFound(content, layer, layer.IsNew ? "was built while the project was" : "is unchanged, known to this machine");
        return layer;
    }

    private void LogFound(LayerInput content, Layer layer, string how) =>
        log.Detail($"Layer '{content.Name}' {how}: {layer.Descriptor.Digest}, {layer.Descriptor.Size} bytes.");

    /// <summary>The layer of a candidate, built if it is not known.</summary>
    public async Task<NamedLayer> ProduceAsync(
        Candidate candidate,
        LayerCompression compression,
        ImageFormat format,
        CancellationToken cancellationToken
    ) =>
        new(
            candidate.Content.Name,
            candidate.Known
                ?? await (
                    isPlan
                        ? MeasureAsync(candidate, compression, format, cancellationToken)
                        : BuildOnceAsync(candidate, compression, format, cancellationToken)
                )
        );

    // Two projects that are published by two processes have the same packages: what the one builds, the other takes.
    private async Task<Layer> BuildOnceAsync(
        Candidate candidate,
        LayerCompression compression,
        ImageFormat format,
        CancellationToken cancellationToken
    )
    {
        if ((candidate.Key ?? candidate.DiffId) is not { } content)
            return await BuildAsync(candidate, compression, format, cancellationToken);
        using var held = await cache.LockLayerAsync(content, compression.Key, candidate.Content.Name, cancellationToken);
        var diffId = candidate.DiffId ?? await cache.FindDiffIdAsync(content, cancellationToken);
        return diffId is not null && await FindLocalAsync(candidate.Content, diffId, compression, cancellationToken) is { } built
            ? built
            : await BuildAsync(candidate, compression, format, cancellationToken);
    }

    // What a registry has is found there sooner than it is built.
    private async Task SettleAsync(EarlyLayerBuild begun, LayerInput content, Digest key, CancellationToken cancellationToken)
    {
        if (await earlier.ExistAsync())
            begun.Cancel();
        log.Building(content.Name, content.ContentLength);
        await begun.SettleAsync(key, bytes => log.Compressed(content.Name, bytes), cancellationToken);
        log.Built(content.Name);
    }

    private async Task<Digest?> DiffIdAsync(LayerInput content, Digest? key, CancellationToken cancellationToken)
    {
        if (key is not null && await cache.FindDiffIdAsync(key, cancellationToken) is { } known)
            return known;
        var diffId = await HashAsync(content, isKeyed: key is not null, cancellationToken);
        await RememberAsync(content, key, diffId, cancellationToken);
        return diffId;
    }

    private Task RememberAsync(LayerInput content, Digest? key, Digest? diffId, CancellationToken cancellationToken) =>
        !isPlan && key is not null && diffId is not null && files.AreAtRest(content)
            ? cache.RememberDiffIdAsync(key, diffId, cancellationToken)
            : Task.CompletedTask;

    // Where no layer was ever built and none was pushed there is none to find: then the files are read once instead of twice.
    private async Task<Digest?> HashAsync(LayerInput content, bool isKeyed, CancellationToken cancellationToken)
    {
        if (isKeyed && earlier.AreNone)
            return null;
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var hashing = LayerTar.DiffIdAsync(content, stop.Token);
        try
        {
            return (isKeyed || cache.IsEmpty) && !await earlier.ExistAsync() ? null : await hashing;
        }
        finally
        {
            await stop.CancelAsync();
            await ((Task)hashing).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task<Layer> BuildAsync(
        Candidate candidate,
        LayerCompression compression,
        ImageFormat format,
        CancellationToken cancellationToken
    )
    {
        var content = candidate.Content;
        await using var writer = store.CreateDigestedBlob();
        var built = await CompressAsync(content, compression, format, writer, cancellationToken);
        if (candidate.DiffId is { } expected && built.DiffId != expected)
        {
            if (candidate.Key is not null)
                cache.ForgetDiffId(candidate.Key);
            throw new ImagePublishException(
                DiagnosticCodes.UnreadableFile,
                $"Files of layer '{content.Name}' changed while they were read. Publish again when nothing writes to the publish folder."
            );
        }

        var blob = await writer.CommitAsync(built.Descriptor, cancellationToken);
        await RememberAsync(content, candidate.Key, built.DiffId, cancellationToken);
        await cache.RememberAsync(built.DiffId, compression.Key, built.Descriptor, cancellationToken);
        log.Detail($"Layer '{content.Name}' was built: {built.Descriptor.Digest}, {built.Descriptor.Size} bytes.");
        if (await earlier.FindRepositoryAsync(built.Descriptor.Digest) is { } repository)
            await cache.RememberRepositoryAsync(built.Descriptor.Digest, repository, cancellationToken);
        return new Layer(built.Descriptor, built.DiffId, blob) { IsNew = true };
    }

    private async Task<Layer> MeasureAsync(
        Candidate candidate,
        LayerCompression compression,
        ImageFormat format,
        CancellationToken cancellationToken
    )
    {
        var built = await CompressAsync(candidate.Content, compression, format, Stream.Null, cancellationToken);
        return new Layer(built.Descriptor, built.DiffId, new MeasuredBlobSource(built.Descriptor)) { IsNew = true };
    }

    private async Task<BuiltLayer> CompressAsync(
        LayerInput content,
        LayerCompression compression,
        ImageFormat format,
        Stream output,
        CancellationToken cancellationToken
    )
    {
        log.Building(content.Name, content.ContentLength);
        var built = await LayerBuilder.BuildAsync(
            content,
            compression,
            format,
            output,
            bytes => log.Compressed(content.Name, bytes),
            cancellationToken
        );
        log.Built(content.Name);
        return built;
    }
}

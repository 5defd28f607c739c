using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Layers;
using ImagePublish.Oci;
using ImagePublish.Storage;

namespace ImagePublish.LayerReuse;

/// <summary>Where built layers are written to, and what is remembered of layers for later publishes.</summary>
internal interface ILayerOutput
{
    /// <summary>Waits until no other process builds a layer.</summary>
    /// <param name="content">What distinguishes the layer from others: the key of its content, or the digest of its tar.</param>
    Task<FileLock?> LockAsync(Digest content, LayerCompression compression, string name, CancellationToken cancellationToken);

    Task<Layer> WriteAsync(string name, Func<Stream, Task<BuiltLayer>> build, CancellationToken cancellationToken);

    /// <summary>Remembers the digest of the tar that some content became.</summary>
    Task RememberDiffIdAsync(Digest contentKey, Digest diffId, CancellationToken cancellationToken);

    /// <summary>Remembers the blob that a tar became, and a repository that claims to have it.</summary>
    Task RememberBlobAsync(Layer layer, LayerCompression compression, Repository? repository, CancellationToken cancellationToken);
}

/// <summary>Writes layers into the local store.</summary>
internal sealed class StoredLayers(ImageStore store, LayerCache cache, IPublishLog log) : ILayerOutput
{
    public Task<FileLock?> LockAsync(Digest content, LayerCompression compression, string name, CancellationToken cancellationToken) =>
        cache.LockLayerAsync(content, compression.Key, name, cancellationToken);

    public async Task<Layer> WriteAsync(string name, Func<Stream, Task<BuiltLayer>> build, CancellationToken cancellationToken)
    {
        await using var writer = store.CreateDigestedBlob();
        var (descriptor, diffId) = await build(writer);
        var blob = await writer.CommitAsync(descriptor, cancellationToken);
        log.Detail($"Layer '{name}' was built: {descriptor.Digest}, {descriptor.Size} bytes.");
        return new Layer(descriptor, diffId, blob) { IsNew = true };
    }

    public Task RememberDiffIdAsync(Digest contentKey, Digest diffId, CancellationToken cancellationToken) =>
        cache.RememberDiffIdAsync(contentKey, diffId, cancellationToken);

    public async Task RememberBlobAsync(
        Layer layer,
        LayerCompression compression,
        Repository? repository,
        CancellationToken cancellationToken
    )
    {
        await cache.RememberAsync(layer.DiffId, compression.Key, layer.Descriptor, cancellationToken);
        if (repository is not null)
            await cache.RememberRepositoryAsync(layer.Descriptor.Digest, repository, cancellationToken);
    }
}

/// <summary>Builds layers to measure them: for a plan, which writes nothing.</summary>
internal sealed class MeasuredLayers : ILayerOutput
{
    public Task<FileLock?> LockAsync(Digest content, LayerCompression compression, string name, CancellationToken cancellationToken) =>
        Task.FromResult<FileLock?>(null);

    public async Task<Layer> WriteAsync(string name, Func<Stream, Task<BuiltLayer>> build, CancellationToken cancellationToken)
    {
        var (descriptor, diffId) = await build(Stream.Null);
        return new Layer(descriptor, diffId, new MeasuredBlobSource(descriptor)) { IsNew = true };
    }

    public Task RememberDiffIdAsync(Digest contentKey, Digest diffId, CancellationToken cancellationToken) => Task.CompletedTask;

    public Task RememberBlobAsync(Layer layer, LayerCompression compression, Repository? repository, CancellationToken cancellationToken) =>
        Task.CompletedTask;
}

/// <summary>A layer that was built to be measured: its bytes are not kept.</summary>
internal sealed class MeasuredBlobSource(Descriptor descriptor) : BlobSource(descriptor)
{
    public override ValueTask<Stream> OpenAsync(long offset, CancellationToken cancellationToken) =>
        throw new InvalidOperationException("A plan keeps no layers.");
}

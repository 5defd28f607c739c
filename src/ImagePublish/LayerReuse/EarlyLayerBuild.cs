using System.Collections.Concurrent;
using ImagePublish.Diagnostics;
using ImagePublish.Layers;
using ImagePublish.Oci;
using ImagePublish.Registries;
using ImagePublish.Storage;

namespace ImagePublish.LayerReuse;

/// <summary>Builds layers of large packages while the project still compiles: what packages a project has is known long before, and a build leaves cores idle.</summary>
/// <remarks>
/// It only fills the local store. Whether a layer is used is decided by the publish itself, by its content; nothing is sent anywhere, and nothing that goes wrong here matters.
/// </remarks>
internal sealed class EarlyLayerBuild : IDisposable
{
    private readonly CancellationTokenSource stop = new();
    private readonly ConcurrentDictionary<Digest, LayerUnderWay> underWay = new();
    private readonly ConcurrentDictionary<Digest, bool> built = new();
    private readonly Task work;
    private volatile bool isOver;
    private bool? isNeeded;

    private EarlyLayerBuild(Func<EarlyLayerBuild, CancellationToken, Task> run) => work = Task.Run(() => run(this, stop.Token));

    /// <summary>Begins in the background.</summary>
    /// <param name="haveImages">Whether the repositories that are published to have images, whose layers need not be built.</param>
    public static EarlyLayerBuild Start(
        IReadOnlyCollection<PackageFile> files,
        LayerEntryDefaults defaults,
        LayerCompression compression,
        Func<ImageStore> openStore,
        Func<CancellationToken, Task<bool>> haveImages
    ) => new((start, cancellationToken) => start.RunAsync(files, defaults, compression, openStore, haveImages, cancellationToken));

    /// <summary>Whether any of some repositories has a tag. One that can't be asked has none: the publish tells what is wrong with it.</summary>
    public static async Task<bool> HaveTagsAsync(
        RegistryClient registries,
        IReadOnlyList<Repository> repositories,
        CancellationToken cancellationToken
    )
    {
        foreach (var repository in repositories)
        {
            try
            {
                await foreach (var _ in registries.ListTagsAsync(repository, cancellationToken))
                    return true;
            }
            catch (ImagePublishException)
            {
                // A new repository is unknown to most registries.
            }
        }

        return false;
    }

    /// <summary>Ends when there is nothing left to begin; never fails.</summary>
    internal Task Completion => work;

    public void Dispose()
    {
        isOver = true;
        stop.Cancel();
        work.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing).GetAwaiter().GetResult();
        stop.Dispose();
    }

    /// <summary>From here on no further layer is begun: the publish builds what is missing.</summary>
    internal void HandOver() => isOver = true;

    /// <summary>Whether it asked the repositories and found nothing in them: then there is nothing to look a layer up in.</summary>
    internal bool FoundNoImages => isNeeded == true;

    /// <summary>Ends it at once: what it builds is there already.</summary>
    internal void Cancel() => stop.Cancel();

    /// <summary>Whether a layer is being built.</summary>
    internal bool IsUnderWay(Digest key) => underWay.TryGetValue(key, out var building) && !building.Completion.IsCompleted;

    /// <summary>Waits for a layer that is being built.</summary>
    internal async Task SettleAsync(Digest key, Action<long> compressed, CancellationToken cancellationToken)
    {
        if (!underWay.TryGetValue(key, out var building))
            return;
        building.Listen(compressed);
        await building.Completion.WaitAsync(cancellationToken);
    }

    /// <summary>Whether a layer was made by this head start.</summary>
    internal bool Made(Digest diffId) => built.ContainsKey(diffId);

    private async Task RunAsync(
        IReadOnlyCollection<PackageFile> files,
        LayerEntryDefaults defaults,
        LayerCompression compression,
        Func<ImageStore> openStore,
        Func<CancellationToken, Task<bool>> haveImages,
        CancellationToken cancellationToken
    )
    {
        try
        {
            if (!FileFingerprints.AreSupported || PackageFile.LargeLayers(files, defaults) is not { Count: > 0 } layers)
                return;
            var store = openStore();
            using var session = await store.BeginSessionAsync(cancellationToken);
            var cache = new LayerCache(store);
            var tags = new FileFingerprints(cache.DeriveContentTagKey(FileFingerprints.KeySize));
            foreach (var layer in layers)
            {
                if (
                    isOver
                    || await LayerInputKey.ComputeAsync(layer, tags, cancellationToken) is not { } key
                    || await cache.FindDiffIdAsync(key, cancellationToken) is not null
                )
                    continue;
                isNeeded ??= !await haveImages(cancellationToken);
                if (isNeeded == false || isOver)
                    return;
                await BuildAsync(layer, key, tags, compression, store, cache, cancellationToken);
            }
        }
        catch (Exception exception)
            when (exception is ImagePublishException or IOException or UnauthorizedAccessException or OperationCanceledException)
        {
            // The publish meets the same and tells of it.
        }
    }

    private async Task BuildAsync(
        LayerInput layer,
        Digest key,
        FileFingerprints tags,
        LayerCompression compression,
        ImageStore store,
        LayerCache cache,
        CancellationToken cancellationToken
    )
    {
        // What another process builds is there when it is needed.
        if (!cache.TryLockLayer(key, compression.Key, out var held))
            return;
        using var released = held;
        var building = underWay[key] = new LayerUnderWay();
        try
        {
            // The build keeps a core for itself.
            await using var writer = store.CreateDigestedBlob();
            var made = await LayerBuilder.BuildAsync(
                layer,
                compression,
                ImageFormat.Oci,
                writer,
                Math.Max(1, Environment.ProcessorCount - 1),
                cancellationToken,
                building.Add
            );
            await writer.CommitAsync(made.Descriptor, cancellationToken);
            if (!tags.AreAtRest())
                return;
            await cache.RememberAsync(made.DiffId, compression.Key, made.Descriptor, cancellationToken);
            built[made.DiffId] = true;
            await cache.RememberDiffIdAsync(key, made.DiffId, cancellationToken);
        }
        finally
        {
            building.End();
        }
    }

    /// <summary>A layer that is being built, and how much of it is.</summary>
    private sealed class LayerUnderWay
    {
        private readonly TaskCompletionSource done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly Lock gate = new();
        private Action<long>? listener;
        private long bytes;

        public Task Completion => done.Task;

        public void Add(long more)
        {
            lock (gate)
            {
                bytes += more;
                listener?.Invoke(more);
            }
        }

        public void Listen(Action<long> compressed)
        {
            lock (gate)
            {
                listener = compressed;
                compressed(bytes);
            }
        }

        public void End() => done.SetResult();
    }
}

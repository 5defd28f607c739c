using System.Collections.Concurrent;
using ImagePublish.Bases;
using ImagePublish.Diagnostics;
using ImagePublish.Layers;
using ImagePublish.Oci;
using ImagePublish.Registries;
using ImagePublish.Storage;

namespace ImagePublish.LayerReuse;

/// <summary>The files of packages, as far as they are known before a project is compiled, and what their layers are like.</summary>
internal sealed record EarlyLayers(IReadOnlyCollection<PackageFile> Files, LayerEntryDefaults Defaults, LayerCompression Compression)
{
    /// <summary>Whether the hashes of files are wanted, for a bill of materials.</summary>
    public bool WithHashes { get; init; }
}

/// <summary>
/// Builds the layers of packages while the project still compiles: what packages a project has is known long before, and a build leaves
/// cores idle.
/// </summary>
/// <remarks>
/// It only fills the local store. Whether a layer is used is decided by the publish itself, by its content; nothing is sent anywhere,
/// and nothing that goes wrong here matters.
/// </remarks>
internal sealed class EarlyLayerBuild : IDisposable
{
    // Projects of a solution compile side by side: one layer at a time, so that a core is left for the compiler.
    private static readonly SemaphoreSlim Turn = new(1, 1);

    private readonly CancellationTokenSource stop = new();
    private readonly ConcurrentDictionary<Digest, LayerInProgress> inProgress = new();
    private readonly ConcurrentDictionary<Digest, bool> built = new();
    private readonly EarlyLayers layers;
    private readonly Func<CancellationToken, Task<bool>> haveImages;
    private readonly Task work;
    private volatile bool isOver;
    private volatile bool foundNoImages;

    private EarlyLayerBuild(EarlyLayers layers, Func<ImageStore> openStore, Func<CancellationToken, Task<bool>> haveImages)
    {
        this.layers = layers;
        this.haveImages = haveImages;
        work = Task.Run(() => Spans.RunAsync("build layers early", () => RunAsync(openStore, stop.Token)));
    }

    /// <summary>Starts in the background.</summary>
    /// <param name="haveImages">Whether the repositories that are published to have images, whose layers need not be built.</param>
    public static EarlyLayerBuild Start(EarlyLayers layers, Func<ImageStore> openStore, Func<CancellationToken, Task<bool>> haveImages) =>
        new(layers, openStore, haveImages);

    /// <summary>
    /// Whether any of some repositories has a tag. One that can't be asked counts as empty: the publish reports what is wrong with it.
    /// </summary>
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

    internal Task Completion => work;

    public void Dispose()
    {
        isOver = true;
        stop.Cancel();
        work.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing).GetAwaiter().GetResult();
        stop.Dispose();
    }

    /// <summary>From here on no further layer is started: the publish builds what is missing.</summary>
    internal void HandOver() => isOver = true;

    /// <summary>Whether it asked the repositories and found nothing in them: then there is nothing to look a layer up in.</summary>
    internal bool FoundNoImages => foundNoImages;

    /// <summary>Cancels all work, because what it builds exists already.</summary>
    internal void Cancel() => stop.Cancel();

    internal bool IsBuilding(Digest key) => inProgress.TryGetValue(key, out var layer) && !layer.Completion.IsCompleted;

    internal bool HasBuilt(Digest diffId) => built.ContainsKey(diffId);

    /// <summary>Waits for a layer that is being built.</summary>
    /// <param name="compressed">Called with the bytes that were compressed so far, and then with every further ones.</param>
    internal async Task WaitForAsync(Digest key, Action<long> compressed, CancellationToken cancellationToken)
    {
        if (!inProgress.TryGetValue(key, out var layer))
            return;
        layer.Listen(compressed);
        await layer.Completion.WaitAsync(cancellationToken);
    }

    private async Task RunAsync(Func<ImageStore> openStore, CancellationToken cancellationToken)
    {
        try
        {
            // What is above the app's files would be the base's, which is not read here.
            if (LayerPath.BaseFoldersOf(layers.Defaults.TargetFolder).Any())
                return;
            if (!FileFingerprints.AreSupported || PackageFile.LayersOf(layers.Files, layers.Defaults) is not { Count: > 0 } inputs)
                return;
            var store = openStore();
            using var session = await store.BeginSessionAsync(cancellationToken);
            var cache = new LayerCache(store);
            var fingerprints = new FileFingerprints(cache.DeriveContentTagKey(FileFingerprints.KeySize));
            var workspace = new Workspace(store, cache, fingerprints);
            var unknown = await FindUnknownAsync(inputs, workspace, cancellationToken);
            // What has changed on a machine that built the others before is not in a registry. Where none is known, all may be there.
            if (unknown.Count == 0 || (unknown.Count == inputs.Count && await HaveImagesAsync(cancellationToken)))
                return;
            foreach (var layer in unknown)
                await BuildInTurnAsync(layer, workspace, cancellationToken);
        }
        catch (Exception exception)
            when (exception is ImagePublishException or IOException or UnauthorizedAccessException or OperationCanceledException)
        {
            // The publish has the same failure, and reports it.
        }
    }

    private async Task BuildInTurnAsync(UnknownLayer layer, Workspace workspace, CancellationToken cancellationToken)
    {
        await Turn.WaitAsync(cancellationToken);
        try
        {
            if (!isOver)
                await BuildAsync(layer, workspace, cancellationToken);
        }
        finally
        {
            Turn.Release();
        }
    }

    private async Task<bool> HaveImagesAsync(CancellationToken cancellationToken)
    {
        var have = await haveImages(cancellationToken);
        foundNoImages = !have;
        return have;
    }

    private async Task<IReadOnlyList<UnknownLayer>> FindUnknownAsync(
        IReadOnlyList<LayerInput> inputs,
        Workspace workspace,
        CancellationToken cancellationToken
    )
    {
        var (_, cache, fingerprints) = workspace;
        var unknown = new List<UnknownLayer>();
        foreach (var input in inputs)
        {
            var stamp = StampOf(input);
            if (await cache.FindDiffIdAsync(stamp, cancellationToken) is not null)
                continue;
            if (isOver || await LayerInputKey.ComputeAsync(input, fingerprints, cancellationToken) is not { } key)
                return [];
            if (await cache.FindDiffIdAsync(key, cancellationToken) is { } diffId)
                await cache.RememberDiffIdAsync(stamp, diffId, cancellationToken);
            else
                unknown.Add(new UnknownLayer(input, key, stamp));
        }

        return unknown;
    }

    // Files of packages do not change once they are restored: where all are as they were when the layer was made, none is read as a
    // whole. It is a reason to begin nothing, and no more.
    private Digest StampOf(LayerInput input)
    {
        using var stamp = new DigestBuilder();
        stamp.Add("early");
        stamp.AddThisBuild();
        stamp.Add(layers.Compression.Key);
        foreach (var entry in input.Entries)
        {
            stamp.Add(entry.Path);
            stamp.Add((long)entry.Mode);
            stamp.Add(entry.Uid);
            stamp.Add(entry.Gid);
            if (entry.Content is not FileOnDisk file)
                continue;
            stamp.Add(file.Path);
            stamp.Add(file.Length);
            stamp.Add(File.GetLastWriteTimeUtc(file.Path).Ticks);
        }

        return stamp.ToDigest();
    }

    private async Task BuildAsync(UnknownLayer unknown, Workspace workspace, CancellationToken cancellationToken)
    {
        var (store, cache, fingerprints) = workspace;
        // What another process builds is there when it is needed.
        if (!cache.TryLockLayer(unknown.Key, layers.Compression.Key, out var held))
            return;
        using var released = held;
        var layer = inProgress[unknown.Key] = new LayerInProgress();
        try
        {
            using var hasher = layers.WithHashes ? new LayerHasher() : null;
            var (descriptor, diffId) = await WriteAsync(unknown.Input, store, layer, hasher, cancellationToken);
            if (!fingerprints.AreAtRest())
                return;
            if (hasher is not null)
                await BaseFiles.RememberAsync(store, diffId, LayerListing.Create(unknown.Input, hasher.Files), cancellationToken);
            await cache.RememberAsync(diffId, layers.Compression.Key, descriptor, cancellationToken);
            built[diffId] = true;
            await cache.RememberDiffIdAsync(unknown.Key, diffId, cancellationToken);
            await cache.RememberDiffIdAsync(unknown.Stamp, diffId, cancellationToken);
        }
        finally
        {
            layer.Complete();
        }
    }

    private async Task<BuiltLayer> WriteAsync(
        LayerInput input,
        ImageStore store,
        LayerInProgress layer,
        LayerHasher? hasher,
        CancellationToken cancellationToken
    )
    {
        var options = new LayerBuildOptions(layers.Compression, ImageFormat.Oci)
        {
            // The build keeps a core for itself.
            Parallelism = Math.Max(1, Environment.ProcessorCount - 1),
            Compressed = layer.Add,
            Hasher = hasher,
        };
        await using var writer = store.CreateDigestedBlob();
        var built = await LayerSpans.BuildAsync(
            input,
            () => LayerBuilder.BuildAsync(input, options, writer, cancellationToken),
            built => built.Descriptor
        );
        await writer.CommitAsync(built.Descriptor, cancellationToken);
        return built;
    }

    private sealed record UnknownLayer(LayerInput Input, Digest Key, Digest Stamp);

    private sealed record Workspace(ImageStore Store, LayerCache Cache, FileFingerprints Fingerprints);

    private sealed class LayerInProgress
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

        public void Complete() => done.SetResult();
    }
}

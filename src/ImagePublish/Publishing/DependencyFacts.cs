using ImagePublish.Bases;
using ImagePublish.Diagnostics;
using ImagePublish.LayerReuse;
using ImagePublish.Layers;
using ImagePublish.Oci;
using ImagePublish.Packages.Dependencies;
using ImagePublish.Requests;
using ImagePublish.Storage;

namespace ImagePublish.Publishing;

/// <summary>What an app needs, and what is there below it. Both are remembered for each layer, so that a publish reads the files of those
/// layers only that have changed.</summary>
internal sealed class DependencyFacts(ImageStore store, IPublishLog log)
{
    private const string NeedsKind = "layerneeds";

    private const string InventoryKind = "inventories";

    /// <summary>Reads what the files of an app's layers need.</summary>
    /// <exception cref="ImagePublishException"><c>IMG3002</c>: a file can't be read. <c>IMG3101</c>: the disk refuses.</exception>
    public async Task<AppDependencies> ReadNeedsAsync(
        PublishRequest request,
        IEnumerable<LayerCandidate> layers,
        CancellationToken cancellationToken
    )
    {
        var runtime = request
            .Items.Where(item => item.Origin == PublishItemOrigin.Runtime)
            .Select(item => item.RelativePath.Replace('\\', '/'))
            .ToHashSet(StringComparer.Ordinal);
        var needs = new AppDependencies();
        foreach (var layer in layers)
            needs.Add(await ReadNeedsAsync(request, layer, runtime, cancellationToken));
        return needs;
    }

    private async Task<AppDependencies> ReadNeedsAsync(
        PublishRequest request,
        LayerCandidate layer,
        HashSet<string> runtimeFiles,
        CancellationToken cancellationToken
    )
    {
        var isMusl = request.DependencyCheck!.IsMusl;
        var files = layer.Content.Entries.Where(entry => entry.Content is FileOnDisk);
        if (layer.Key is null)
            return Read();
        using var name = new DigestBuilder();
        name.Add(layer.Key.Value);
        name.Add(request.Spec.Platform.ToString());
        name.Add(isMusl ? 1 : 0);
        name.Add([.. files.Select(entry => entry.PublishPath).OfType<string>().Where(runtimeFiles.Contains)]);
        var key = name.ToDigest();
        if (await store.Records.ReadAsync(NeedsKind, key, cancellationToken) is { } record)
            return AppDependencies.Read(record);
        var needs = Read();
        await store.Records.WriteIfSmallAsync(NeedsKind, key, needs.Write(), cancellationToken);
        return needs;

        AppDependencies Read() => new AppDependencyReader(request.Spec.Platform, isMusl).Read(files, runtimeFiles, cancellationToken);
    }

    /// <summary>Finds what the layers below an app have.</summary>
    /// <returns>Null where that takes a download that the request does not allow.</returns>
    /// <exception cref="ImagePublishException">A layer can't be had or is damaged.</exception>
    public async Task<ImageInventory?> FindInventoryAsync(IReadOnlyList<Layer> below, bool mayDownload, CancellationToken cancellationToken)
    {
        using var name = new DigestBuilder();
        name.AddThisBuild();
        name.Add([.. below.Where(layer => layer.Source is not null).Select(layer => layer.DiffId.Value)]);
        var key = name.ToDigest();
        if (await store.Records.ReadAsync(InventoryKind, key, cancellationToken) is { } record)
            return ImageInventory.Read(record);
        if (await new BaseFiles(store, log).TryReadAsync(below, mayDownload, cancellationToken) is not { } files)
            return null;
        var inventory = new ImageInventory(files);
        await store.Records.WriteIfSmallAsync(InventoryKind, key, inventory.Write(), cancellationToken);
        return inventory;
    }
}

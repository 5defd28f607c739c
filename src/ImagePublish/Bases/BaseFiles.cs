using System.Globalization;
using System.Text;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Images;
using ImagePublish.Layers;
using ImagePublish.Oci;
using ImagePublish.Storage;

namespace ImagePublish.Bases;

/// <summary>The files of images. A layer is streamed by once, nothing of it is stored but the list of its files.</summary>
internal sealed class BaseFiles(ImageStore store, IPublishLog log)
{
    private const string Kind = "listings";
    private const int PartSize = CacheRecords.MaxSize - 1;
    private const int MaxParts = 256;

    /// <summary>Whether layers that have to be read are kept in the local store, since some of their files are wanted next.</summary>
    public bool KeepLayers { get; init; }

    /// <summary>Whether the hashes of each file are wanted, too.</summary>
    public bool WithHashes { get; init; }

    /// <summary>Reads the files of a base image.</summary>
    /// <exception cref="ImagePublishException">A layer can't be had or is damaged.</exception>
    public async Task<BaseFileSystem> ReadAsync(BaseImage baseImage, CancellationToken cancellationToken)
    {
        var budget = LayerReader.NewBudget();
        return new(
            await Task.WhenAll(
                baseImage.Layers.Where(layer => layer.Source is not null).Select(layer => ListAsync(layer, budget, cancellationToken))
            ),
            budget
        );
    }

    /// <summary>Reads the files of a base image and of layers that are put on it.</summary>
    /// <exception cref="ImagePublishException">A layer can't be had or is damaged.</exception>
    public async Task<BaseFileSystem> ReadAsync(
        BaseImage baseImage,
        IReadOnlyList<(LayerInput Content, Layer? Known)> above,
        CancellationToken cancellationToken
    )
    {
        var budget = LayerReader.NewBudget();
        var below = baseImage.Layers.Where(layer => layer.Source is not null).Select(layer => ListAsync(layer, budget, cancellationToken));
        var own = above.Select(layer =>
            layer.Known is { Source: not null } known
                ? ListAsync(known, budget, cancellationToken)
                : Task.FromResult(LayerListing.Create(layer.Content))
        );
        return new(await Task.WhenAll(below.Concat(own)), budget);
    }

    /// <summary>Reads the files of layers if that needs no download.</summary>
    /// <returns>Their files; null where a layer is on no disk of this machine and was never read.</returns>
    /// <exception cref="ImagePublishException">A layer can't be had or is damaged.</exception>
    public async Task<BaseFileSystem?> TryReadAsync(IEnumerable<Layer> layers, bool mayDownload, CancellationToken cancellationToken)
    {
        var budget = LayerReader.NewBudget();
        var listings = new List<LayerListing>();
        foreach (var layer in layers.Where(layer => layer.Source is not null))
        {
            if (
                !mayDownload
                && layer.Source!.Repository is not null
                && store.FindBlob(layer.Descriptor) is null
                && await FindStoredAsync(layer.DiffId, cancellationToken) is null
            )
                return null;
            listings.Add(await ListAsync(layer, budget, cancellationToken));
        }

        return new BaseFileSystem(listings, budget);
    }

    /// <summary>Lists a layer.</summary>
    /// <exception cref="ImagePublishException">It can't be had or is damaged.</exception>
    public async Task<LayerListing> ListAsync(Layer layer, ContentBudget budget, CancellationToken cancellationToken)
    {
        if (await FindStoredAsync(layer.DiffId, cancellationToken) is { } known && (known.HasHashes || !WithHashes))
        {
            known.CountIn(budget);
            return known;
        }

        log.Detail($"Reading the files of layer {layer.Descriptor.Digest} ({layer.Descriptor.Size} bytes).");
        BlobSource source =
            store.FindBlob(layer.Descriptor) is { } local ? local
            : KeepLayers ? await LoggedBlobSource.PutAsync(store, layer.Source!, log, cancellationToken)
            : layer.Source!;
        await using var blob = await source.OpenAsync(0, cancellationToken);
        var options = new LayerReaderOptions { DiffId = layer.DiffId, Budget = budget };
        var listing = WithHashes
            ? await LayerListing.ReadHashedAsync(blob, options, cancellationToken)
            : await LayerListing.ReadAsync(blob, options, cancellationToken);
        await RememberAsync(store, layer.DiffId, listing, cancellationToken);
        return listing;
    }

    /// <summary>Finds the list of a layer with the hashes of its files, if it was made before.</summary>
    public async Task<LayerListing?> FindHashedAsync(Digest diffId, CancellationToken cancellationToken) =>
        await FindStoredAsync(diffId, cancellationToken) is { HasHashes: true } known ? known : null;

    // A record is small: a list is cut into parts, and the last is the one that is not full.
    private async Task<LayerListing?> FindStoredAsync(Digest diffId, CancellationToken cancellationToken)
    {
        var bytes = new MemoryStream();
        for (var part = 0; part < MaxParts; part++)
        {
            if (await store.Records.ReadAsync(Kind, Key(diffId, part), cancellationToken) is not { } record)
                return null;
            await bytes.WriteAsync(record, cancellationToken);
            if (record.Length < PartSize)
                return LayerListing.TryRead(bytes.ToArray());
        }

        return null;
    }

    /// <summary>Remembers the list of a layer.</summary>
    /// <exception cref="ImagePublishException"><c>IMG3101</c>: the disk refuses.</exception>
    public static async Task RememberAsync(ImageStore store, Digest diffId, LayerListing listing, CancellationToken cancellationToken)
    {
        ReadOnlyMemory<byte> bytes = listing.Write();
        for (var part = 0; part < MaxParts; part++)
        {
            var begin = Math.Min(part * PartSize, bytes.Length);
            var record = bytes[begin..Math.Min(begin + PartSize, bytes.Length)];
            await store.Records.WriteAsync(Kind, Key(diffId, part), record, cancellationToken);
            if (record.Length < PartSize)
                return;
        }
    }

    private static Digest Key(Digest diffId, int part) =>
        Digest.Compute(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{diffId}\n{part}")));
}

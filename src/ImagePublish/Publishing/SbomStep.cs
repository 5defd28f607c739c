using System.Collections.Concurrent;
using System.Text;
using ImagePublish.Bases;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Images;
using ImagePublish.Layers;
using ImagePublish.Oci;
using ImagePublish.Requests;
using ImagePublish.Sboms;

namespace ImagePublish.Publishing;

/// <summary>An image that is described, with what it was made of.</summary>
/// <param name="Contents">The files of the layers above the base, from the bottom up; empty for a layer that was found without
/// them.</param>
internal sealed record SbomSubject(PublishRequest Request, Image Image, ResolvedImages Images, IReadOnlyList<LayerInput> Contents)
{
    /// <summary>What was read of the packages; null reads it now.</summary>
    public Task<SbomFacts?>? Facts { get; init; }
}

/// <summary>
/// The bill of materials of an image: composed once, kept in the local store under the image's digest, and written to its file. What the
/// base's files are is remembered by layer, so that a layer is read once on a machine.
/// </summary>
internal sealed class SbomStep(PublishContext context)
{
    private const string Kind = "sboms";
    private const int MaxDocument = 256 << 20;

    private readonly BaseFiles files = new(context.Store, context.Log) { WithHashes = true };
    private readonly ConcurrentDictionary<Digest, Lazy<Task<LayerListing?>>> known = new();

    /// <summary>Remembers the files of layers that are built; null where no bill of materials is asked for.</summary>
    public BaseFiles? ListingsFor(PublishRequest request, PublishOutput output) =>
        request.Sbom is not null && output.IsWritten ? files : null;

    /// <summary>Reads what is known of the packages and of the base's files, while the rest of a publish works; null where nothing is
    /// described.</summary>
    public async Task<SbomFacts?> ReadFactsAsync(
        PublishRequest request,
        PublishOutput output,
        Task<BaseImage> resolvingBase,
        CancellationToken cancellationToken
    )
    {
        if (request.Sbom is not { } wanted || !output.IsWritten)
            return null;
        var facts = SbomFacts.Read(wanted, context.Log);
        foreach (var layer in (await resolvingBase).Layers)
            await FindAsync(layer.DiffId, cancellationToken);
        return facts;
    }

    /// <summary>The layers, so that those of a registry that have to be read are downloaded once, whether or not they are uploaded,
    /// too.</summary>
    public async Task<IReadOnlyList<Layer>> KeepUnknownAsync(IReadOnlyList<Layer> layers, CancellationToken cancellationToken)
    {
        var kept = new List<Layer>();
        foreach (var layer in layers)
        {
            var isAtHand =
                layer.Source is not { IsRemote: true }
                || context.Store.FindBlob(layer.Descriptor) is not null
                || await FindAsync(layer.DiffId, cancellationToken) is not null;
            kept.Add(isAtHand ? layer : layer with { Source = new KeptBlobSource(layer.Source!, context.Store, context.Log) });
        }

        return kept;
    }

    /// <summary>Writes the file of an image that was described before.</summary>
    /// <returns>Whether the document was still in the store, or none is asked for.</returns>
    /// <exception cref="ImagePublishException"><c>IMG3003</c>: the file can't be written.</exception>
    public async Task<bool> RestoreAsync(PublishRequest request, Image image, CancellationToken cancellationToken)
    {
        if (request.Sbom is not { } wanted)
            return true;
        if (await FindAsync(request, image, cancellationToken) is not { } document)
            return false;
        Write(wanted.File, document);
        return true;
    }

    /// <summary>Describes an image: the document's bytes and its media type. Nothing is asked of a registry but layers that were never
    /// read.</summary>
    /// <exception cref="ImagePublishException">A layer can't be had or is damaged, or a file changes meanwhile.</exception>
    public async Task<MemoryBlobSource> DescribeAsync(SbomSubject subject, CancellationToken cancellationToken)
    {
        var (request, image) = (subject.Request, subject.Image);
        if (await FindAsync(request, image, cancellationToken) is { } known)
            return known;
        var layers = await ListAsync(subject, cancellationToken);
        var sources = new SbomSources(request.Sbom!, image)
        {
            Name = request.LocalName,
            Created = request.Spec.Created,
            Facts = (subject.Facts is null ? null : await subject.Facts) ?? SbomFacts.Read(request.Sbom!, context.Log),
            Base = subject.Images.Base,
            BaseLayers = subject.Images.Base.Layers.Count - subject.Images.Base.TakenLayers.Count,
            Others = [.. subject.Images.Others.Values],
            Layers = layers,
            Contents = subject.Contents,
        };
        var document = SbomDocument.Compose(sources);
        if (document.Descriptor.Size > SbomDocument.LargestAccepted)
            context.Log.WarnOrFail(
                DiagnosticCodes.SbomLarge,
                $"The SBOM of {request.LocalName} has {document.Descriptor.Size >> 20} MiB; some services take no more than "
                    + $"{SbomDocument.LargestAccepted >> 20} MiB."
            );
        await context.Store.PutAsync(document, cancellationToken);
        await context.Store.Records.WriteAsync(
            Kind,
            KeyOf(request, image),
            Encoding.UTF8.GetBytes($"{document.Descriptor.Digest} {document.Descriptor.Size}"),
            cancellationToken
        );
        return document;
    }

    /// <summary>Writes a document to the file that the request names.</summary>
    /// <exception cref="ImagePublishException"><c>IMG3003</c>: the file can't be written.</exception>
    public void Write(string file, MemoryBlobSource document)
    {
        WholeFile.Write(file, "SBOM", document.Content.Span);
        context.Log.Detail($"The SBOM is in '{Text.Sanitize(file)}' ({document.Descriptor.Size} bytes).");
    }

    // A list that was made before, read once.
    private Task<LayerListing?> FindAsync(Digest diffId, CancellationToken cancellationToken) =>
        known.GetOrAdd(diffId, key => new(() => files.FindHashedAsync(key, cancellationToken))).Value;

    private async Task<MemoryBlobSource?> FindAsync(PublishRequest request, Image image, CancellationToken cancellationToken)
    {
        if (await context.Store.Records.ReadAsync(Kind, KeyOf(request, image), cancellationToken) is not { } record)
            return null;
        if (
            Encoding.UTF8.GetString(record).Split(' ') is not [var digest, var size]
            || !Digest.TryParse(digest, out var known)
            || !long.TryParse(size, out var length)
        )
            return null;
        var descriptor = new Descriptor(SbomDocument.MediaTypeOf(request.Sbom!.Format), known, length);
        try
        {
            return context.Store.FindBlob(descriptor) is null
                ? null
                : await context.Store.ReadAsync(descriptor, MaxDocument, cancellationToken);
        }
        catch (ImagePublishException)
        {
            // Damaged: it is composed again.
            return null;
        }
    }

    private async Task<IReadOnlyList<LayerListing>> ListAsync(SbomSubject subject, CancellationToken cancellationToken)
    {
        var budget = LayerReader.NewBudget();
        var below = subject.Images.Base.Layers;
        var listing = subject.Image.Layers.Select(
            (layer, index) =>
                layer.Source is null ? Task.FromResult(LayerListing.Empty)
                : index < below.Count || subject.Contents[index - below.Count].Entries.Count == 0
                    ? ListAsync(layer, budget, cancellationToken)
                : ListOwnAsync(layer, subject.Contents[index - below.Count], cancellationToken)
        );
        return await Task.WhenAll(listing);
    }

    private async Task<LayerListing> ListAsync(Layer layer, ContentBudget budget, CancellationToken cancellationToken)
    {
        if (await FindAsync(layer.DiffId, cancellationToken) is not { } made)
            return await files.ListAsync(layer, budget, cancellationToken);
        made.CountIn(budget);
        return made;
    }

    // A layer that was built in this publish was hashed while it was; one that was built before is hashed here, once.
    private async Task<LayerListing> ListOwnAsync(Layer layer, LayerInput content, CancellationToken cancellationToken)
    {
        if (await FindAsync(layer.DiffId, cancellationToken) is { } made)
            return made;
        await content.FetchFilesAsync(cancellationToken);
        using var hasher = new LayerHasher();
        if (await LayerTar.DiffIdAsync(content, hasher, cancellationToken) != layer.DiffId)
            throw new ImagePublishException(
                DiagnosticCodes.UnreadableFile,
                $"Files of layer '{content.Name}' changed while they were read. Publish again when nothing writes to the publish folder."
            );
        var listing = LayerListing.Create(content, hasher.Files);
        await BaseFiles.RememberAsync(context.Store, layer.DiffId, listing, cancellationToken);
        return listing;
    }

    private static Digest KeyOf(PublishRequest request, Image image)
    {
        using var key = new DigestBuilder();
        key.AddThisBuild();
        key.Add(image.Digest.Value);
        key.Add(request.LocalName);
        request.Sbom!.AddContentTo(key);
        return key.ToDigest();
    }
}

using System.IO.Enumeration;
using ImagePublish.Bases;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Images;
using ImagePublish.Layers;
using ImagePublish.Oci;
using ImagePublish.Requests;

namespace ImagePublish.Publishing;

/// <summary>Files and layers of other images, as <c>COPY --from</c> of a Dockerfile takes them.</summary>
/// <remarks>
/// Layers that are taken whole are part of the base from then on: nothing of them is downloaded, and everything that looks at the base's
/// files sees theirs. Files become layers of their own, whose key is made of the diff ids that they come from: one that was built before is
/// found without a byte of the other image.
/// </remarks>
internal sealed class OtherImagesStep(PublishContext context)
{
    private readonly SignatureStep signatures = new(context);

    /// <summary>Finds the images of a request.</summary>
    /// <exception cref="ImagePublishException"><c>IMG1045</c> to <c>IMG1047</c>; <c>IMG6017</c> to <c>IMG6022</c>: one is not signed as an
    /// item wants it; or what the registry fails with.</exception>
    public Task<ResolvedImages> ResolveAsync(PublishRequest request, Task<BaseImage> resolvingBase, CancellationToken cancellationToken) =>
        ResolveAsync(request.OtherImages, request.Spec.Platform, resolvingBase, cancellationToken);

    public async Task<ResolvedImages> ResolveAsync(
        OtherImages wanted,
        Platform platform,
        Task<BaseImage> resolvingBase,
        CancellationToken cancellationToken
    )
    {
        var sources = wanted.Sources;
        var resolving = sources.Select(source => ResolveAsync(wanted, source, platform, cancellationToken)).ToList();
        var others = await Task.WhenAll(resolving);
        var found = sources.Zip(others).ToDictionary(pair => pair.First, pair => pair.Second);
        var original = await resolvingBase;
        var layered = wanted
            .Layers.DistinctBy(layers => layers.From)
            .Aggregate(original, (image, layers) => image.WithLayersOf(found[layers.From]));
        return new ResolvedImages(original, layered, found);
    }

    /// <summary>Lists the files that a request takes from other images.</summary>
    /// <exception cref="ImagePublishException"><c>IMG1048</c>: a file is missing or can't be taken; or a layer can't be read.</exception>
    public async Task<IReadOnlyList<AddedEntry>> ListFilesAsync(
        PublishRequest request,
        ResolvedImages images,
        LayerFileReader reader,
        CancellationToken cancellationToken
    )
    {
        var entries = new List<AddedEntry>();
        foreach (var source in request.OtherImages.Files.GroupBy(files => files.From))
        {
            var image = images.Others[source.Key];
            Layer[] layers = [.. image.Layers.Where(layer => layer.Source is not null)];
            var budget = LayerReader.NewBudget();
            var listings = new BaseFiles(context.Store, context.Log) { KeepLayers = true };
            foreach (var layer in layers)
                context.Log.NameBlob(layer.Descriptor.Digest.Value, $"layer of {image.Name}");
            var lists = await Task.WhenAll(layers.Select(layer => listings.ListAsync(layer, budget, cancellationToken)));
            var copied = new CopiedFiles(new LocatedFiles(lists, budget), layers, reader)
            {
                LayerName = $"from {NameOf(source.Key, image)}",
                Root = request.Spec.Platform.Os == "windows" ? WindowsLayer.FilesFolder : "",
            };
            entries.AddRange(source.SelectMany(files => copied.Read(files, image.Name)));
        }

        return entries;
    }

    // A new tag does not make it another layer.
    private static string NameOf(ImageSource source, BaseImage image) =>
        source switch
        {
            RegistryImage remote => remote.Reference.Repository.ToString(),
            OfflineImage kept => kept.Reference.Repository.ToString(),
            _ => Text.Sanitize(image.Name),
        };

    private async Task<BaseImage> ResolveAsync(
        OtherImages wanted,
        ImageSource source,
        Platform platform,
        CancellationToken cancellationToken
    )
    {
        var item = wanted.ItemOf(source);
        try
        {
            var resolver = new BaseResolver(context.Registries, context.Documents, context.Store, ImageRole.SourceOf(item));
            var found = await resolver.ResolveAsync(source, platform, cancellationToken);
            foreach (var (by, trust) in wanted.TrustIn(source))
            {
                item = by;
                await signatures.RequireAsync(trust, source, found, ImageRole.SourceOf(by), cancellationToken);
            }

            return found;
        }
        catch (ImagePublishException exception) when (exception.Item is null)
        {
            throw new ImagePublishException(exception.Code, $"{item} can't be used: {exception.Message}", exception) { Item = item };
        }
    }

    /// <summary>The files of one image, as entries for another.</summary>
    private sealed class CopiedFiles(LocatedFiles files, IReadOnlyList<Layer> layers, LayerFileReader reader)
    {
        public required string LayerName { get; init; }

        public required string Root { get; init; }

        public IEnumerable<CopiedEntry> Read(FilesOfImage wanted, string image)
        {
            var folder = LayerPath.ParentOf(wanted.Path);
            var name = LayerPath.NameOf(wanted.Path);
            if (!name.AsSpan().ContainsAny('*', '?'))
                return ReadOne(wanted, image);
            var names = Find(wanted, PathOf(folder), image)
                .Where(entry => LayerPath.ParentOf(entry.Path).Length == 0 && entry.Path.Length > 0);
            var matches = names.Where(entry => FileSystemName.MatchesSimpleExpression(name, entry.Path, ignoreCase: false)).ToList();
            return matches.Count > 0
                ? matches.SelectMany(match =>
                    ReadOne(wanted with { Path = LayerPath.Join(folder, match.Path), IsIntoTarget = true }, image)
                )
                : throw Refused(wanted, image, "where nothing has such a name. Check the pattern");
        }

        private string PathOf(string path) => LayerPath.Join(Root, path).TrimEnd('/');

        private IEnumerable<CopiedEntry> ReadOne(FilesOfImage wanted, string image)
        {
            var found = Find(wanted, PathOf(wanted.Path), image);
            if (found.Count == 0)
                throw Refused(wanted, image, "which it does not have. Check the path");
            var isFolder = found[0].Entry.Kind == LayerEntryInfoKind.Directory;
            var target =
                wanted.Target is not { } given ? wanted.Path
                : wanted.IsIntoTarget && !isFolder ? LayerPath.Join(given, LayerPath.NameOf(wanted.Path))
                : given;
            if (target.Length == 0 && !isFolder)
                throw Refused(wanted, image, "which is not a folder and can't replace the root");
            // The root itself belongs to the base.
            return found
                .Where(entry => target.Length > 0 || entry.Path.Length > 0)
                .Select(entry => EntryOf(wanted, entry, LayerPath.Join(target, entry.Path).TrimEnd('/'), image));
        }

        private IReadOnlyList<LocatedEntry> Find(FilesOfImage wanted, string path, string image)
        {
            try
            {
                return files.Find(path);
            }
            catch (ImagePublishException exception) when (exception.Code == DiagnosticCodes.InvalidTarget)
            {
                throw Refused(wanted, image, "and its links or files do not lead there. Check the path");
            }
        }

        private CopiedEntry EntryOf(FilesOfImage wanted, LocatedEntry found, string path, string image)
        {
            var entry = found.Entry;
            var kind = entry.Kind switch
            {
                LayerEntryInfoKind.Directory => LayerEntryKind.Directory,
                LayerEntryInfoKind.File => LayerEntryKind.File,
                LayerEntryInfoKind.SymbolicLink => LayerEntryKind.SymbolicLink,
                _ => throw Refused(wanted, image, $"where '/{Text.Sanitize(entry.Path)}' is a device or pipe. Name what is beside it"),
            };
            return new CopiedEntry(wanted.Item, kind, path)
            {
                Mode = kind == LayerEntryKind.File ? wanted.Mode ?? entry.Mode : entry.Mode,
                Owner = wanted.Owner ?? FileOwner.Create(entry.Uid, entry.Gid),
                Layer = wanted.Layer ?? LayerName,
                IsOnTop = wanted.IsOnTop,
                LinkTarget = kind == LayerEntryKind.SymbolicLink ? entry.LinkTarget : null,
                Content = kind == LayerEntryKind.File ? reader.Add(layers[found.Layer], found.Index, entry) : null,
            };
        }

        private static ImagePublishException Refused(FilesOfImage wanted, string image, string why) =>
            new(
                DiagnosticCodes.OtherImageFileMissing,
                $"{wanted.Item} can't be used: it takes '/{Text.Sanitize(wanted.Path)}' from the image '{Text.Sanitize(image)}', {why}."
            )
            {
                Item = wanted.Item,
            };
    }
}

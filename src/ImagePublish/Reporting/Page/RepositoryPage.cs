using System.Text.Json;
using ImagePublish.Attachments;
using ImagePublish.Commands;
using ImagePublish.Images;
using ImagePublish.Layers;
using ImagePublish.Oci;
using ImagePublish.Publishing.Explain;
using ImagePublish.Rebasing;
using ImagePublish.Repositories;

namespace ImagePublish.Reporting.Page;

/// <summary>One self-contained HTML page about a repository.</summary>
internal sealed class RepositoryPage
{
    private const int MaxText = 2000;
    private const int MaxSettings = 300;

    // Of all texts together: a page that is larger opens in no browser.
    private const int MaxTexts = 48 << 20;

    private static readonly RepositoryJsonContext Context = new(PageTemplate.JsonOptions);

    private readonly List<string> strings = [];
    private readonly Dictionary<string, int> numbers = new(StringComparer.Ordinal);
    private readonly List<(Descriptor Blob, int Name)> layers = [];
    private readonly Dictionary<Digest, int> layerNumbers = [];
    private int textLength;

    private RepositoryPage() { }

    public static byte[] Write(RepositoryContents contents, DateTimeOffset made, bool withDrift)
    {
        var document = new RepositoryPage().Document(contents, made, withDrift);
        string[] scripts = ["common.js", "repository.js"];
        return PageTemplate.Write(
            "repository.html",
            contents.Name,
            ["page.css", "repository.css"],
            scripts,
            JsonSerializer.Serialize(document, Context.RepositoryDocument)
        );
    }

    private RepositoryDocument Document(RepositoryContents contents, DateTimeOffset made, bool withDrift)
    {
        var images = contents.Images.Select(Document).ToList();
        var files = contents.Files is { } read ? Document(read) : null;
        var head = new RepositoryHeadDocument(
            contents.Name,
            contents.Repository is not null,
            contents.Name.Split('/')[^1],
            contents.TagCount,
            contents.TagsRead,
            contents.Filter.IsAll ? null : contents.Filter.Pattern,
            Common.Text.Rfc3339(made),
            Math.Min(RepositoryReader.MaxDetailed, images.Count),
            withDrift,
            [.. contents.Gone.Select(tag => tag.Value)],
            [.. contents.Unread.Select(one => new UnreadDocument(one.Tag.Value, Common.Text.Sanitize(one.Reason)))]
        );
        var columns = new BlobColumnsDocument(
            [.. layers.Select(layer => layer.Blob.Digest.Value)],
            [.. layers.Select(layer => layer.Blob.Size)],
            [.. layers.Select(layer => layer.Name)]
        );
        return new RepositoryDocument(head, strings, columns, images, files);
    }

    private RepositoryImageDocument Document(RepositoryImage image) =>
        new(
            image.Digest.Value,
            [.. image.Tags.Select(tag => tag.Value)],
            image.Created is { } created ? Common.Text.Rfc3339(created) : null,
            image.Image.Artifact is { } manifest ? manifest.Layers.Sum(layer => layer.Size) : image.Image.Size,
            [.. image.Image.Platforms.Select(Document)]
        )
        {
            Artifact = image.Image.Platforms.Count > 0 ? null : NumberOf(KindOf(image.Image)),
            Signs = [.. image.Signs.Select(NumberOf)],
            Attached = image.Attachments is { } attached ? [.. attached.Select(Document)] : null,
            Drift = image is { Drift: { } drift, Image.Platforms.Count: > 0 } ? Document(drift) : null,
        };

    private static string KindOf(InspectedImage image) =>
        image.Artifact is not { } manifest ? "an index without images"
        : manifest.ArtifactType is { Length: > 0 } type ? type
        : manifest.Config.MediaType;

    private RepositoryPlatformDocument Document(InspectedPlatform platform)
    {
        var (manifest, config) = (platform.Manifest, platform.Config);
        var own = ImageComposer.LayerNames(config);
        var history = config.FindLayerHistory();
        var numbered = manifest
            .Layers.Select((layer, at) => NumberOf(layer, own.ElementAtOrDefault(at) ?? history?.ElementAtOrDefault(at)?.CreatedBy ?? ""))
            .ToList();
        var named = NamedBase.Find(manifest, config);
        return new RepositoryPlatformDocument(
            NumberOf(config.Platform.ToString()),
            platform.Descriptor.Digest.Value,
            manifest.Config.Digest.Value,
            manifest.Config.Size,
            own.Any(name => name is not null) ? own.TakeWhile(name => name is null).Count() : 0,
            numbered,
            [
                .. ConfigComparer
                    .Values(config)
                    .OrderBy(setting => setting.Key, StringComparer.Ordinal)
                    .Take(MaxSettings)
                    .SelectMany(setting => new[] { NumberOf(setting.Key), NumberOf(setting.Value) }),
            ]
        )
        {
            Base = named is null ? null : new BaseNameDocument(NumberOf(named.Reference.ToString()), named.Digest?.Value),
        };
    }

    private static AttachedDocument Document(AttachmentInfo attached) =>
        new([.. attached.Types.Select(AttachmentTypes.NameOf)], attached.Descriptor.Digest.Value, attached.Subject.Value);

    private static DriftDocument Document(ImageDrift drift) =>
        new(
            drift.State switch
            {
                DriftState.Current => "current",
                DriftState.Behind => "behind",
                _ => "unknown",
            }
        )
        {
            Digest = drift.CurrentDigest?.Value,
            Runtime = drift.Runtime,
            CurrentRuntime = drift.CurrentRuntime,
            CurrentCreated = drift.CurrentCreated,
            EndOfLife = drift.EndOfLife is { } end ? RebaseTables.Date(end) : null,
            Packages = drift.Packages is { } packages
                ? [.. packages.Select(package => new PackageDocument(package.Name, package.Version, package.CurrentVersion))]
                : null,
            Reason = drift.Failure is { } failure ? $"{failure.Message} ({failure.Code})" : null,
        };

    private RepositoryFilesDocument Document(RepositoryFiles files)
    {
        var (paths, contents) = (new Dictionary<object, int>(), new Dictionary<object, int>());
        var lists = files
            .Layers.Where(layer => layerNumbers.ContainsKey(layer.Key))
            .Select(layer => new LayerFilesDocument(
                layerNumbers[layer.Key],
                [.. layer.Value.Entries.Select(entry => PositionOf(entry.Path, paths))],
                [.. layer.Value.Entries.Select(entry => entry.Length)],
                [.. layer.Value.Entries.Select(entry => PositionOf(ContentOf(entry), contents))]
            ))
            .ToList();
        return new RepositoryFilesDocument(
            files.Newest,
            RepositoryFileReader.MaxImages,
            [.. paths.Keys.Cast<string>()],
            lists,
            [.. files.Images.Select(image => new VisibleFilesDocument(image.Manifest.Value, image.Hidden))],
            files.LeftOut
        );
    }

    private static object ContentOf(LayerEntryInfo entry) =>
        (entry.Kind, entry.Length, entry.Fingerprint, entry.LinkTarget, entry.Mode, entry.Uid, entry.Gid);

    // A dictionary that nothing is removed from keeps the order of what is added.
    private static int PositionOf(object key, Dictionary<object, int> positions)
    {
        if (!positions.TryGetValue(key, out var position))
            positions.Add(key, position = positions.Count);
        return position;
    }

    private int NumberOf(Descriptor layer, string name)
    {
        if (layerNumbers.TryGetValue(layer.Digest, out var number))
            return number;
        layerNumbers.Add(layer.Digest, number = layers.Count);
        layers.Add((layer, NumberOf(name)));
        return number;
    }

    private int NumberOf(string text)
    {
        text = text.Length > MaxText ? Common.Text.Shortened(text, MaxText) : text;
        if (numbers.TryGetValue(text, out var number))
            return number;
        if (text.Length > 1 && textLength + text.Length > MaxTexts)
            return NumberOf("…");
        textLength += text.Length;
        numbers.Add(text, number = strings.Count);
        strings.Add(text);
        return number;
    }
}

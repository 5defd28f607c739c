using System.Globalization;
using ImagePublish.Attachments;
using ImagePublish.Bases;
using ImagePublish.Commands;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Images;
using ImagePublish.Oci;
using ImagePublish.Publishing;
using ImagePublish.Rebasing;
using ImagePublish.Registries;

namespace ImagePublish.Repositories;

/// <summary>
/// Reads the images of a repository: the list of tags, one look at each tag, and each manifest and config once, which the local store
/// keeps. Only of the newest images more is asked for.
/// </summary>
internal sealed class RepositoryReader(PublishContext context)
{
    /// <summary>Of how many images, the newest, attachments are looked for and bases compared.</summary>
    public const int MaxDetailed = 50;

    private const int MaxPlatforms = 64;
    private const int MaxLayers = 500;

    private static readonly TimeSpan ShortestPast = TimeSpan.FromDays(1);

    // What says something of one image. Anything else is said of the registry, and a page without most of its images would mislead.
    private static readonly DiagnosticCode[] ImageProblems =
    [
        DiagnosticCodes.RegistryProtocol,
        DiagnosticCodes.RegistryNotFound,
        DiagnosticCodes.BaseInvalid,
        DiagnosticCodes.ContentMismatch,
        DiagnosticCodes.TooLarge,
        DiagnosticCodes.InvalidDigest,
        DiagnosticCodes.FormatObsolete,
        DiagnosticCodes.StoreDamaged,
        DiagnosticCodes.StoreIncomplete,
    ];

    /// <summary>Reads a repository.</summary>
    /// <exception cref="ImagePublishException"><c>IMG4150</c>: there is nothing to show; or what the registry or the store fails
    /// with.</exception>
    public async Task<RepositoryContents> ReadAsync(RepositorySource source, RepositoryQuery query, CancellationToken cancellationToken)
    {
        var all = await source.ListTagsAsync(cancellationToken);
        var names = all.Select(tag => tag.Value).ToHashSet(StringComparer.Ordinal);
        var tags = TagOrder.Sort(all.Where(tag => !IsAttached(tag) && query.Filter.Matches(tag.Value)), tag => tag).ToList();
        if (tags.Count == 0)
            throw Empty(source, query, all.Count);
        var found = await FindAsync(source, query.Limit > 0 ? [.. tags.Take(query.Limit)] : tags, cancellationToken);
        var read = await OpenAsync(source, found, names, cancellationToken);
        RepositoryImage[] images = [.. Sort(read.Select(one => one.Image).OfType<RepositoryImage>())];
        var failed = found.Where(one => one.Failure is not null).Concat(read.SelectMany(one => one.Failed)).ToList();
        var gone = found.Where(one => one is { Root: null, Failure: null }).Select(one => one.Tag);
        var contents = new RepositoryContents(source.Name, source.Repository, tags.Count, images)
        {
            Filter = query.Filter,
            Gone = [.. gone.Concat(read.SelectMany(one => one.Gone))],
            Unread = [.. failed.Select(one => (one.Tag, one.Failure!.Message))],
        };
        return images.Length > 0 ? await DetailAsync(source, contents, query, cancellationToken) : throw Nothing(source, contents);
    }

    private sealed record FoundTag(Tag Tag, Descriptor? Root)
    {
        public ImagePublishException? Failure { get; init; }
    }

    private sealed record OpenedImage(RepositoryImage? Image)
    {
        public IReadOnlyList<Tag> Gone { get; init; } = [];

        public IReadOnlyList<FoundTag> Failed { get; init; } = [];
    }

    private static Task<IReadOnlyList<FoundTag>> FindAsync(
        RepositorySource source,
        IReadOnlyList<Tag> tags,
        CancellationToken cancellationToken
    ) =>
        ManyImages.RunAsync(
            tags,
            async (tag, stop) => new FoundTag(tag, await source.FindAsync(tag, stop)),
            (tag, failure) => new FoundTag(tag, null) { Failure = OfOneImage(failure) },
            cancellationToken
        );

    private static Task<IReadOnlyList<OpenedImage>> OpenAsync(
        RepositorySource source,
        IReadOnlyList<FoundTag> found,
        HashSet<string> names,
        CancellationToken cancellationToken
    ) =>
        ManyImages.RunAsync(
            [.. found.Where(one => one.Root is not null).GroupBy(one => one.Root!.Digest).Select(group => group.ToList())],
            (image, stop) => OpenAsync(source, image, names, stop),
            (image, failure) => new OpenedImage(null) { Failed = [.. image.Select(one => one with { Failure = OfOneImage(failure) })] },
            cancellationToken
        );

    private static async Task<OpenedImage> OpenAsync(
        RepositorySource source,
        List<FoundTag> image,
        HashSet<string> names,
        CancellationToken cancellationToken
    )
    {
        IReadOnlyList<Tag> tags = [.. image.Select(one => one.Tag)];
        if (await source.OpenAsync(image[0].Root!, cancellationToken) is not { } content)
            return new OpenedImage(null) { Gone = tags };
        var name = $"{source.Name}:{tags[0]}";
        var index = IndexOf(name, content);
        var inspected = await ImageInspector.InspectAsync(name, content, cancellationToken);
        if (inspected.Platforms.FirstOrDefault(platform => platform.Manifest.Layers.Count > MaxLayers) is { } large)
            throw Invalid(name, $"it has {large.Manifest.Layers.Count} layers; at most {MaxLayers} are read");
        return new OpenedImage(
            new RepositoryImage(inspected, tags)
            {
                Created = ReadTime(inspected.Created),
                Signs = [.. SignsOf(inspected, index, names).Distinct(StringComparer.Ordinal)],
            }
        );
    }

    private static ImageIndex? IndexOf(string name, IImageContent content)
    {
        if (!MediaTypes.IsIndex(content.Root.Descriptor.MediaType))
            return null;
        var index = OciJson.ReadIndex(content.Root.Content.Span);
        return index.Manifests.Count <= MaxPlatforms
            ? index
            : throw Invalid(name, $"it has {index.Manifests.Count} entries; at most {MaxPlatforms} are read");
    }

    private static IEnumerable<string> SignsOf(InspectedImage image, ImageIndex? index, HashSet<string> names)
    {
        if (index?.Manifests.Any(entry => entry.Annotations?.ContainsKey(AttachmentTypes.ReferenceDigest) == true) == true)
            yield return "attestations in the index";
        foreach (var subject in image.Platforms.Select(platform => platform.Descriptor.Digest).Prepend(image.Root.Digest))
        {
            var tag = ReferrersTag.NameOf(subject);
            if (names.Contains(tag + ".sig"))
                yield return "signature (cosign, by tag)";
            if (names.Contains(tag + ".att"))
                yield return "attestation (cosign, by tag)";
            if (names.Contains(tag + ".sbom"))
                yield return "SBOM (cosign, by tag)";
        }
    }

    // Images of reproducible builds often say the beginning of 1970, or of time.
    private static DateTimeOffset? ReadTime(string? text) =>
        DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
        && time - DateTimeOffset.UnixEpoch > ShortestPast
            ? time
            : null;

    private static IEnumerable<RepositoryImage> Sort(IEnumerable<RepositoryImage> images) =>
        TagOrder
            .Sort(images, image => image.Tags[0])
            .OrderByDescending(image => image.Created.HasValue)
            .ThenByDescending(image => image.Created);

    private async Task<RepositoryContents> DetailAsync(
        RepositorySource source,
        RepositoryContents contents,
        RepositoryQuery query,
        CancellationToken cancellationToken
    )
    {
        var newest = contents.Images.Take(MaxDetailed).ToList();
        var detailed = await ManyImages.RunAsync(
            newest,
            async (image, stop) => image with { Attachments = await ListAttachmentsAsync(source, image, stop) },
            (image, failure) =>
            {
                context.Log.Detail($"It is not known what is attached to {source.Name}:{image.Tags[0]}: {failure.Message}");
                return image;
            },
            cancellationToken
        );
        // Before the bases are compared: with files at hand, their packages are, too.
        var files =
            query.Files > 0
                ? await new RepositoryFileReader(context).ReadAsync(source, [.. contents.Images.Take(query.Files)], cancellationToken)
                : null;
        if (query.Drift is { } mirror && source.Repository is { } repository)
            detailed = await CompareBasesAsync(detailed, repository, mirror, cancellationToken);
        return contents with { Images = [.. detailed, .. contents.Images.Skip(MaxDetailed)], Files = files };
    }

    private static async Task<IReadOnlyList<AttachmentInfo>?> ListAttachmentsAsync(
        RepositorySource source,
        RepositoryImage image,
        CancellationToken cancellationToken
    ) =>
        await source.OpenAsync(image.Image.Root, cancellationToken) is { } content
            ? await new AttestationReader(content).ListAsync(cancellationToken)
            : null;

    private async Task<IReadOnlyList<RepositoryImage>> CompareBasesAsync(
        IReadOnlyList<RepositoryImage> images,
        Repository repository,
        Func<RegistryImage, RegistryImage> mirror,
        CancellationToken cancellationToken
    )
    {
        var checker = new DriftChecker(context, mirror);
        var drifts = await checker.CheckAsync([.. images.Select(image => repository.ReferenceTo(image.Digest))], cancellationToken);
        return [.. images.Zip(drifts, (image, drift) => image with { Drift = drift })];
    }

    // Tags by which signatures and lists of attachments are found: sha256-….sig.
    private static bool IsAttached(Tag tag) => tag.Value.StartsWith("sha256-", StringComparison.Ordinal);

    private static ImagePublishException OfOneImage(ImagePublishException failure) =>
        ImageProblems.Contains(failure.Code) ? failure : throw failure;

    private static ImagePublishException Invalid(string name, string why) =>
        new(DiagnosticCodes.BaseInvalid, $"The image '{Text.Sanitize(name)}' is not shown: {why}.");

    private static ImagePublishException Empty(RepositorySource source, RepositoryQuery query, int count)
    {
        var name = Text.Sanitize(source.Name);
        var why =
            count == 0 ? $"'{name}' has no tags"
            : query.Filter.Pattern.Length == 0 ? $"'{name}' has only tags of attachments (sha256-…)"
            : $"None of the {count} tags of '{name}' matches ImageFilter '{Text.Sanitize(query.Filter.Pattern)}'";
        return new(DiagnosticCodes.RepositoryEmpty, $"{why}, so there is no page of it. Publish an image first, or choose other tags.");
    }

    private static ImagePublishException Nothing(RepositorySource source, RepositoryContents contents) =>
        new(
            DiagnosticCodes.RepositoryEmpty,
            contents.Unread is [var (tag, reason), ..]
                ? $"Nothing of '{Text.Sanitize(source.Name)}' can be shown: all its {contents.TagsRead} tags are gone or damaged. "
                    + $"'{tag}': {Text.Sanitize(reason)}"
                : $"All {contents.TagsRead} tags of '{Text.Sanitize(source.Name)}' were removed while they were read. Try again."
        );
}

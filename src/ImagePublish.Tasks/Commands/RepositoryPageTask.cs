using System.Globalization;
using ImagePublish.Bases;
using ImagePublish.Commands;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Publishing;
using ImagePublish.Reporting;
using ImagePublish.Reporting.Page;
using ImagePublish.Repositories;
using ImagePublish.Tasks.Shared;

namespace ImagePublish.Tasks.Commands;

/// <summary>What the tasks share that make a page of a repository.</summary>
public abstract class RepositoryPageTask : CommandTask
{
    private const int DefaultLimit = 5000;

    /// <summary>The file of the page.</summary>
    public string? Page { get; set; }

    /// <summary>Which tags: <c>1.*</c>.</summary>
    public string? Filter { get; set; }

    /// <summary>The most tags that are read; 0 for all.</summary>
    public string? Limit { get; set; }

    /// <summary>Whether the bases of the newest images are compared with what their names point at now.</summary>
    public bool Drift { get; set; }

    /// <summary>Of how many images, the newest, the layers are read.</summary>
    public string? Files { get; set; }

    /// <summary>The mirror of Microsoft's registry; empty for that of the environment, if it names one.</summary>
    public string? BaseRegistry { get; set; }

    /// <summary>The repositories that are meant; none for the local store's images.</summary>
    internal static IReadOnlyList<Repository> RepositoriesOf(CommandNames names) =>
        names.Source switch
        {
            RegistryImage remote => [remote.Reference.Repository],
            StoreImage => [],
            null => names.Destinations,
            var other => throw InputParser.Invalid(
                "ImageSource",
                other.ToString()!,
                "expected a repository of a registry, or of the local store: ghcr.io/acme/shop, store:acme/shop"
            ),
        };

    /// <summary>Writes the page of a repository.</summary>
    /// <param name="repository">Null for the local store.</param>
    /// <exception cref="ImagePublishException"><c>IMG4150</c>: there is nothing to show; <c>IMG3003</c>: the page can't be written; or what
    /// the registry or the store fails with.</exception>
    internal async Task WriteAsync(
        CommandNames names,
        Repository? repository,
        string path,
        IPublishLog log,
        CancellationToken cancellationToken
    )
    {
        if (Drift && repository is null)
            throw InputParser.Invalid("ImagePageDrift", "true", "the bases of images are only compared in a registry");
        var query = new RepositoryQuery(
            new Glob(InputParser.Optional(Filter) ?? ""),
            NumberOf("ImageTagLimit", Limit, int.MaxValue) ?? DefaultLimit
        )
        {
            Drift = Drift ? image => BaseMirror.Apply(image, BaseRegistry) : null,
            Files = NumberOf("ImagePageFiles", Files, RepositoryFileReader.MaxImages) ?? 0,
        };
        var context = new PublishContext(Connect(names.Registries).Registries, OpenStore(), log);
        var inStore = names.Source is StoreImage stored ? StoreNames.Repository(stored.Name) : names.LocalName;
        RepositorySource source = repository is null
            ? new StoreRepository(context.Store, inStore)
            : new RegistryRepository(context, repository);
        var contents = await new RepositoryReader(context).ReadAsync(source, query, cancellationToken);
        if (contents.Unread is [var (tag, reason), ..])
            log.Warning(
                DiagnosticCodes.RepositoryDamaged,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{contents.Unread.Count} of {contents.TagsRead} tags of '{source.Name}' can't be read, and are on the page by their "
                        + $"names only. '{tag}': {reason}"
                )
            );
        var page = RepositoryPage.Write(contents, DateTimeOffset.UtcNow, Drift);
        WholeFile.Write(path, "page", page);
        Report(log, Lines(contents, path, page.Length));
        Items = [.. Items, ItemOf(contents, path)];
    }

    private static IEnumerable<string> Lines(RepositoryContents contents, string path, long size)
    {
        var left = contents.TagCount - contents.TagsRead;
        yield return $"{contents.Name}: {Text.Count(contents.TagsRead, "tag")}, {Text.Count(contents.Images.Count, "image")}";
        if (left > 0)
            yield return string.Create(
                CultureInfo.InvariantCulture,
                $"  and {left} more tags that the page leaves out; -p:ImageTagLimit=0 reads all, -p:ImageFilter=\"1.*\" chooses."
            );
        if (contents.Gone.Count > 0)
            yield return string.Create(CultureInfo.InvariantCulture, $"  {contents.Gone.Count} of them were removed while they were read.");
        if (contents.Files is { LeftOut: > 0 } files)
            yield return string.Create(
                CultureInfo.InvariantCulture,
                $"  The files of {files.LeftOut} images are left out: there would be too many, or a layer can't be read."
            );
        yield return $"  The page is in {path} ({ByteSize.Show(size)})";
    }

    private static CommandItem ItemOf(RepositoryContents contents, string path) =>
        CommandItem.Create(
            new Uri(path).AbsoluteUri,
            ("Repository", contents.Name),
            ("File", path),
            ("Tags", contents.TagsRead),
            ("AllTags", contents.TagCount),
            ("Images", contents.Images.Count)
        );

    private static int? NumberOf(string property, string? value, int most) =>
        InputParser.Optional(value) is not { } text ? null
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number <= most ? number
        : throw InputParser.Invalid(
            property,
            text,
            most == int.MaxValue
                ? "expected a number, 0 for all"
                : string.Create(CultureInfo.InvariantCulture, $"expected a number of images, at most {most}")
        );
}

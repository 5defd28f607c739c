using System.Globalization;
using ImagePublish.Bases;
using ImagePublish.Commands;
using ImagePublish.Diagnostics;
using ImagePublish.Reporting;
using ImagePublish.Tasks.Shared;

namespace ImagePublish.Tasks.Commands;

/// <summary>Lists a repository's tags, the highest versions first.</summary>
public sealed class ListImageTags : CommandTask
{
    private const int DefaultLimit = 50;

    /// <summary>Which: <c>1.*</c>.</summary>
    public string? Filter { get; set; }

    /// <summary>The most tags to show with their details; 0 for all.</summary>
    public string? Limit { get; set; }

    private protected override async Task RunAsync(IPublishLog log, CancellationToken cancellationToken)
    {
        var names = new CommandNames(this);
        var limit =
            InputParser.Optional(Limit) is not { } text ? DefaultLimit
            : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number
            : throw InputParser.Invalid("ImageTagLimit", text, "expected a number, 0 for all");
        var filter = new Glob(InputParser.Optional(Filter) ?? "");
        var lister = new ImageLister(Connect(names.Registries).Registries, OpenStore(), log);
        var repositories = names.Source switch
        {
            RegistryImage remote => [remote.Reference.Repository],
            StoreImage => [],
            _ => names.Destinations,
        };
        var inStore = names.Source is StoreImage stored ? StoreNames.Repository(stored.Name) : names.LocalName;
        TagList[] lists =
            repositories.Count == 0
                ? [await lister.ListTagsAsync(inStore, filter, limit, cancellationToken)]
                : await Task.WhenAll(repositories.Select(repository => lister.ListTagsAsync(repository, filter, limit, cancellationToken)));
        Report(log, lists.SelectMany(ImageTables.OfTags));
        Items =
        [
            .. lists.SelectMany(list =>
                list.Tags.Select(tag =>
                    CommandItem.Create(
                        tag.Tag.Value,
                        ("Repository", list.Repository),
                        ("Reference", $"{list.Repository}:{tag.Tag}"),
                        ("Digest", tag.Descriptor?.Digest),
                        ("MediaType", tag.Descriptor?.MediaType),
                        ("Platform", CommandItem.PlatformNames(tag.Platforms)),
                        ("Created", tag.Created),
                        ("Size", tag.Size)
                    )
                )
            ),
        ];
    }
}

using ImagePublish.Bases;
using ImagePublish.Commands;
using ImagePublish.Diagnostics;
using ImagePublish.Images;
using ImagePublish.Oci;
using ImagePublish.Storage.Archives;
using ImagePublish.Tasks.Shared;

namespace ImagePublish.Tasks.Commands;

/// <summary>Parses the image names of a command, once.</summary>
internal sealed class CommandNames
{
    private readonly CommandTask inputs;
    private readonly Reference? fullReference;
    private readonly Lazy<OwnNames> projectImage;

    public CommandNames(CommandTask inputs)
    {
        this.inputs = inputs;
        fullReference = ImageNames.Whole(inputs.Name);
        projectImage = new(ReadProjectImage);
        Source = InputParser.Optional(inputs.Source) is { } text ? Parse(text) : null;
    }

    public ImageSource? Source { get; private set; }

    /// <summary>The registries that <c>ImageSource</c> and the destinations are in.</summary>
    public IEnumerable<Registry> Registries =>
        Destinations
            .Select(repository => repository.Registry)
            .Concat(Source is RegistryImage remote ? [remote.Reference.Repository.Registry] : []);

    /// <summary>The repositories that the properties name; none for the local store.</summary>
    public IReadOnlyList<Repository> Destinations => ImageNames.Repositories(inputs.Name, inputs.Registry, null, LocalName, null);

    /// <summary>The image's name without registry and tag: the properties', else the source's, else the project's.</summary>
    public string LocalName =>
        SourceRepositoryName is { } name && InputParser.Optional(inputs.Repository) is null && fullReference is null
            ? name
            : ImageNames.LocalNameOf(inputs);

    /// <summary>The name that a copy has in the local store: an image of another registry keeps its whole name,
    /// so that it is found as a base.</summary>
    public string StoreName =>
        InputParser.Optional(inputs.Repository) is null && Source is RegistryImage remote
            ? remote.Reference.Repository.ToString()
            : LocalName;

    public IReadOnlyList<Tag> Tags =>
        InputParser.Words(inputs.Tags) is { Length: > 0 } words ? Fill(words)
        : fullReference?.Tag is { } tag && inputs.Name!.Trim().EndsWith(":" + tag, StringComparison.Ordinal) ? [tag]
        : [];

    public IReadOnlyList<ContentTag> ContentTags => ImageNames.ContentTags(inputs.Tags, Context);

    public IReadOnlyList<Tag> ProjectTags => projectImage.Value.Tags;

    public Tag? SourceTag =>
        Source switch
        {
            RegistryImage { Reference: { Digest: null, Tag: { } tag } } => tag,
            RegistryImage => null,
            { LocalName: { } name } => TagOf(name),
            _ => null,
        };

    /// <summary>Names the image of an archive that is given without one and has only one.</summary>
    public async Task ResolveArchiveNameAsync(CancellationToken cancellationToken)
    {
        if (Source is not ArchivedImage { Name: null } archived)
            return;
        using var archive = await ImageArchive.OpenAsync(archived.Path, cancellationToken);
        if (archive.Images is [{ Names: [var name, ..] }])
            Source = archived with { Name = name };
    }

    /// <summary>The project's own image, as a publish names it: in its registry, or in the local store.</summary>
    public ImageSource ProjectImage =>
        projectImage.Value is { Repositories: [var repository, ..], Tags: [var tag, ..] }
            ? new RegistryImage(repository.ReferenceTo(tag))
            : ProjectImageInStore;

    /// <summary>The project's own image in the local store, where a publish without a registry, or without a network, leaves it.</summary>
    public StoreImage ProjectImageInStore => new($"{projectImage.Value.LocalName}:{projectImage.Value.Tags[0]}");

    private sealed record OwnNames(IReadOnlyList<Repository> Repositories, string LocalName, IReadOnlyList<Tag> Tags);

    private OwnNames ReadProjectImage()
    {
        var names = new ImageNames(inputs);
        var tags = names.Tags(Context());
        var reason = ContentTags.Count > 0 ? "no tag that is known before the image is" : "no tag, since ImageTagPolicy is None";
        return tags.Count > 0
            ? new OwnNames(names.Destinations, names.LocalName, tags)
            : throw new ImagePublishException(
                DiagnosticCodes.PropertyMissing,
                $"The project's own image has {reason}: set ImageSource to the image, for example to the ImageReference of its publish."
            );
    }

    private TagContext Context() =>
        GitInfo.Read(inputs).TagContext(inputs, InputParser.Words(inputs.RuntimeIdentifiers) is [var only] ? only : null);

    // Source control is asked only for a template.
    private IReadOnlyList<Tag> Fill(string[] words)
    {
        var isTemplate = Array.Exists(words, word => word.Contains('{', StringComparison.Ordinal));
        return InputParser.Named("ImageTags", words, named =>
            isTemplate ? TagPolicies.Resolve(named, TagPolicy.None, Context()) : [.. named.Select(Tag.Parse).Distinct()]
        );
    }

    private string? SourceRepositoryName =>
        Source switch
        {
            RegistryImage remote => remote.Reference.Repository.Name,
            { LocalName: { } name } => WithoutRegistry(name),
            _ => null,
        };

    private static string WithoutRegistry(string name) =>
        Reference.TryParse(StoreNames.Repository(name), out var reference, out _)
        && (reference.Repository.Registry != Registry.DockerHub || name.StartsWith("docker.io/", StringComparison.Ordinal))
            ? reference.Repository.Name
            : StoreNames.Repository(name);

    private static Tag? TagOf(string name) => Tag.TryParse(StoreNames.Tag(name), out var tag) ? tag : null;

    private ImageSource Parse(string text) => ImageSourceReader.Read(text, inputs.ResolvePath);
}

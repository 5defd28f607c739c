using ImagePublish.Images;
using ImagePublish.Oci;
using ImagePublish.Publishing.Verbs;
using ImagePublish.Storage.Archives;

namespace ImagePublish.Tasks.Verbs;

/// <summary>Turns what a verb is told of images into types, once.</summary>
internal sealed class VerbNames
{
    private readonly VerbTask inputs;
    private readonly Reference? whole;

    public VerbNames(VerbTask inputs)
    {
        this.inputs = inputs;
        whole = Lists.Optional(inputs.Name) is { } name ? Lists.Named("ImageName", name, Reference.Parse) : null;
        Source = Lists.Optional(inputs.Source) is { } text ? Parse(text) : null;
    }

    /// <summary>The image that <c>ImageSource</c> names.</summary>
    public ImageSource? Source { get; private set; }

    /// <summary>The registries that <c>ImageSource</c> and the destinations are in.</summary>
    public IEnumerable<Registry> Registries => Destinations.Select(repository => repository.Registry).Concat(Source is RegistryImage remote ? [remote.Reference.Repository.Registry] : []);

    /// <summary>The repositories that the properties name; none for the local store.</summary>
    public IReadOnlyList<Repository> Destinations => whole is not null
        ? [whole.Repository]
        : [.. Lists.Words(inputs.Registry).Select(host => Repository.Of(Lists.Named("ImageRegistry", host, Registry.Parse), LocalName)).Distinct()];

    /// <summary>The image's name without registry and tag: what the properties say, else the source's, else the project's.</summary>
    public string LocalName => Lists.Optional(inputs.Repository) ?? SourceName ?? ImageNames.Normalised(Lists.Optional(inputs.AssemblyName) ?? "app");

    /// <summary>The name that a copy has in the local store: an image of another registry keeps its whole name, so that it is found as a base.</summary>
    public string StoreName => Lists.Optional(inputs.Repository) is null && Source is RegistryImage remote ? remote.Reference.Repository.ToString() : LocalName;

    /// <summary>The tags that the properties name.</summary>
    public IReadOnlyList<Tag> Tags => Lists.Words(inputs.Tags) is { Length: > 0 } words ? TagPolicies.Resolve(words, TagPolicy.None, Context)
        : whole?.Tag is { } tag && inputs.Name!.Trim().EndsWith(":" + tag, StringComparison.Ordinal) ? [tag]
        : [];

    /// <summary>The tag that the source has.</summary>
    public Tag? SourceTag => Source switch
    {
        RegistryImage { Reference: { Digest: null, Tag: { } tag } } => tag,
        StoreImage kept => TagOf(kept.Name),
        EngineImage engine => TagOf(engine.Name),
        ArchivedImage { Name: { } name } => TagOf(name),
        _ => null,
    };

    /// <summary>Looks into an archive that is named without an image: with only one in it, that one is meant, under the name that it has there.</summary>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>When it is done.</returns>
    public async Task LookIntoArchiveAsync(CancellationToken cancellationToken)
    {
        if (Source is not ArchivedImage { Name: null } archived)
            return;
        using var archive = await ImageArchive.OpenAsync(archived.Path, cancellationToken);
        if (archive.Images is [{ Names: [var name, ..] }])
            Source = archived with { Name = name };
    }

    /// <summary>The project's own image: in its registry, or in the local store.</summary>
    public ImageSource Own
    {
        get
        {
            var tag = Tags is [var first, ..] ? first : TagPolicies.Resolve([], TagPolicy.Version, Context)[0];
            return Destinations is [var repository, ..] ? new RegistryImage(repository.At(tag)) : new StoreImage($"{LocalName}:{tag}");
        }
    }

    private TagContext Context => new() { Version = Lists.Optional(inputs.Version) ?? "1.0.0", Created = DateTimeOffset.UnixEpoch, Configuration = "" };

    private string? SourceName => Source switch
    {
        RegistryImage remote => remote.Reference.Repository.Name,
        StoreImage kept => WithoutRegistry(kept.Name),
        EngineImage engine => WithoutRegistry(engine.Name),
        ArchivedImage { Name: { } name } => WithoutRegistry(name),
        _ => null,
    };

    private static string WithoutRegistry(string name) => Reference.TryParse(StoreNames.Repository(name), out var reference, out _) && (reference.Repository.Registry != Registry.DockerHub || name.StartsWith("docker.io/", StringComparison.Ordinal))
        ? reference.Repository.Name
        : StoreNames.Repository(name);

    private static Tag? TagOf(string name) => Tag.TryParse(StoreNames.Tag(name), out var tag) ? tag : null;

    private ImageSource Parse(string text)
    {
        if (ImageSourceReader.Kept(text, inputs.ResolvePath) is { } kept)
            return kept;
        var reference = Reference.Parse(text);
        var namesHub = text.StartsWith("docker.io/", StringComparison.Ordinal) || text.StartsWith("index.docker.io/", StringComparison.Ordinal);
        return reference.Repository.Registry != Registry.DockerHub || namesHub ? new RegistryImage(reference) : ImageSourceReader.InStore(text);
    }
}

using System.Text;
using ImagePublish.Diagnostics;
using ImagePublish.Images;
using ImagePublish.Oci;
using ImagePublish.Tasks.Shared;

namespace ImagePublish.Tasks;

/// <summary>
/// Where an image goes and what it is called: <c>ImageName</c>, or <c>ImageRegistry</c>, <c>ImageRepository</c> and <c>ImageTags</c>.
/// </summary>
internal sealed class ImageNames
{
    private readonly IImageInputs inputs;
    private readonly Reference? whole;

    public ImageNames(IImageInputs inputs)
    {
        this.inputs = inputs;
        whole = Whole(inputs.Name);
        if (whole?.Digest is not null)
            throw InputParser.Invalid("ImageName", inputs.Name!, "expected a name with an optional tag; publishing computes the digest");
        var repository = RepositoryName(inputs.RepositoryPrefix, inputs.Repository, inputs.AssemblyName);
        _ = InputParser.Named(
            InputParser.Optional(inputs.RepositoryPrefix) is null ? "ImageRepository" : "ImageRepositoryPrefix and ImageRepository",
            repository,
            name => Oci.Repository.Create(Oci.Registry.Parse("localhost"), name)
        );
        Named = Repositories(whole, inputs.Registry, repository);
        Destinations = inputs.Offline ? [] : Named;
        LocalName = LocalNameOf(inputs);
    }

    public IReadOnlyList<Repository> Named { get; }

    public IReadOnlyList<Repository> Destinations { get; }

    public string LocalName { get; }

    public static string LocalNameOf(IImageInputs inputs) =>
        Whole(inputs.Name)?.Repository.Name ?? RepositoryName(inputs.RepositoryPrefix, inputs.Repository, inputs.AssemblyName);

    /// <summary>The repositories that properties name.</summary>
    /// <exception cref="ImagePublishException"><c>IMG1xxx</c>: a name is malformed.</exception>
    public static IReadOnlyList<Repository> Repositories(
        string? name,
        string? registry,
        string? prefix,
        string? repository,
        string? assemblyName
    ) => Repositories(Whole(name), registry, RepositoryName(prefix, repository, assemblyName));

    /// <summary>Reports that an image stays on this machine although the properties name a registry.</summary>
    public void ReportOffline(IPublishLog log)
    {
        if (Named.Count > Destinations.Count)
            log.Information(
                $"ImageOffline: the image stays in the local store. To "
                    + $"send it to {string.Join(", ", Named)}, run the target CopyImage while there is a network."
            );
    }

    public IReadOnlyList<Tag> Tags(TagContext context) => Tags(inputs.Tags, inputs.TagPolicy, context);

    public IReadOnlyList<Tag> Tags(string? tags, string? tagPolicy, TagContext context)
    {
        var templates = InputParser.Words(tags);
        if (templates.Length == 0 && whole?.Tag is { } tag && inputs.Name!.Trim().EndsWith(":" + tag, StringComparison.Ordinal))
            return [TagPolicies.WithSuffix(tag, context.Suffix)];
        var policy = InputParser
            .Words(tagPolicy)
            .Select(word => InputParser.Choice(word, "ImageTagPolicy", TagPolicy.None))
            .Aggregate(TagPolicy.None, (all, one) => all | one);
        return InputParser.Named("ImageTags", templates, names =>
            TagPolicies.Resolve(names, InputParser.Words(tagPolicy).Length == 0 ? TagPolicy.Version : policy, context)
        );
    }

    /// <summary>The tags that have a part of the image's digest in them.</summary>
    public static IReadOnlyList<ContentTag> ContentTags(string? tags, Func<TagContext> context) =>
        InputParser.Words(tags) is { Length: > 0 } templates && Array.Exists(templates, ContentTag.IsOne)
            ? InputParser.Named("ImageTags", templates, names => TagPolicies.ResolveContentTags(names, context()))
            : [];

    internal static Reference? Whole(string? name) =>
        InputParser.Optional(name) is { } text ? InputParser.Named("ImageName", WithLowerRepository(text), Reference.Parse) : null;

    // In lower case: CI systems hand on Acme/Shop as people write it.
    private static string RepositoryName(string? prefix, string? repository, string? assemblyName) =>
        Prefixed(
            InputParser.Optional(prefix)?.ToLowerInvariant(),
            InputParser.Optional(repository)?.ToLowerInvariant() ?? Normalised(InputParser.Optional(assemblyName) ?? "app")
        );

    // 'acme' and 'acme/' are a part of the name of their own, 'acme/team-' is not.
    private static string Prefixed(string? prefix, string repository) =>
        prefix is null ? repository
        : char.IsAsciiLetterOrDigit(prefix[^1]) ? $"{prefix}/{repository}"
        : prefix + repository;

    // Only behind what is certainly a host: in 'Acme/Shop' the first part is one too, to Docker and to us.
    private static string WithLowerRepository(string name)
    {
        var slash = name.IndexOf('/', StringComparison.Ordinal);
        if (slash < 0 || !(name.AsSpan(0, slash).ContainsAny('.', ':') || name.StartsWith("localhost/", StringComparison.Ordinal)))
            return name;
        var end = name.AsSpan(slash).IndexOfAny(':', '@');
        var stop = end < 0 ? name.Length : slash + end;
        return name[..slash] + name[slash..stop].ToLowerInvariant() + name[stop..];
    }

    private static IReadOnlyList<Repository> Repositories(Reference? whole, string? registry, string repository) =>
        whole is not null
            ? [whole.Repository]
            :
            [
                .. InputParser
                    .Words(registry)
                    .Select(host => Oci.Repository.Create(InputParser.Named("ImageRegistry", host, Oci.Registry.Parse), repository))
                    .Distinct(),
            ];

    // As the .NET SDK does: lower case, everything else becomes '-', and never two separators in a row.
    internal static string Normalised(string assemblyName)
    {
        var name = new StringBuilder();
        foreach (var character in assemblyName.ToLowerInvariant())
        {
            if (char.IsAsciiLetterOrDigit(character))
                name.Append(character);
            else if (name.Length > 0 && char.IsAsciiLetterOrDigit(name[^1]))
                name.Append(character is '.' or '_' ? character : '-');
        }

        var trimmed = name.ToString().TrimEnd('.', '_', '-');
        return trimmed.Length > 0 ? trimmed : "app";
    }
}

using ImagePublish.Bases;
using ImagePublish.Oci;
using ImagePublish.Tasks.Shared;

namespace ImagePublish.Tasks;

/// <summary>
/// The mirror that images of Microsoft's registry are read from: <c>ImageBaseRegistry</c>, or for a whole company the environment variable
/// <c>IMAGE_BASE_REGISTRY</c>.
/// </summary>
internal static class BaseMirror
{
    private const string Property = "ImageBaseRegistry";
    private const string Variable = "IMAGE_BASE_REGISTRY";

    private static readonly Registry Mirrored = Registry.Parse("mcr.microsoft.com");

    /// <summary>Where images of Microsoft's registry are asked for: no project of a build can move these.</summary>
    public static IReadOnlySet<Reference> ReferencesTo(IEnumerable<ImageSource> images) =>
        images
            .OfType<RegistryImage>()
            .Where(image => image.Reference.Repository.Registry == Mirrored)
            .Select(image => image.Location)
            .ToHashSet();

    /// <summary>Finds where an image is read from. An image of any other registry stays where it is.</summary>
    /// <exception cref="Diagnostics.ImagePublishException"><c>IMG1007</c>: the mirror is no host with or without a path.</exception>
    public static RegistryImage Apply(RegistryImage image, string? property)
    {
        var (name, value) = InputParser.Optional(property) is { } own
            ? (Property, own)
            : (Variable, InputParser.Optional(TaskEnvironment.Variable(Variable)));
        if (value is null || image.Reference.Repository.Registry != Mirrored)
            return image;
        var parts = value.TrimEnd('/').Split('/', 2);
        var path = parts.Length == 2 ? $"{parts[1]}/{image.Reference.Repository.Name}" : image.Reference.Repository.Name;
        if (!Registry.TryParse(parts[0], out var registry) || !Repository.TryOf(registry, path, out var repository))
            throw InputParser.Invalid(
                name,
                value,
                "expected a host and perhaps a path in lower case, without https://, such as mirror.example.com/mcr"
            );
        return repository == image.Reference.Repository ? image : image with { Mirror = repository };
    }
}

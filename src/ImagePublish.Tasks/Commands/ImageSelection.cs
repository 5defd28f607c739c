using ImagePublish.Bases;
using ImagePublish.Commands;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Registries;
using ImagePublish.Tasks.Shared;

namespace ImagePublish.Tasks.Commands;

/// <summary>
/// Images of registries that a command is about: references, and repositories with a pattern of tags, <c>ghcr.io/acme/shop:1.*</c>; in a
/// property, in a file with one a line, or the project's own image.
/// </summary>
internal sealed class ImageSelection
{
    private const int MaxFileLength = 4 << 20;
    private const int MaxImages = 10_000;

    private readonly IReadOnlyList<(Reference Image, Glob? Tags)> selected;

    private ImageSelection(IReadOnlyList<(Reference Image, Glob? Tags)> selected) => this.selected = selected;

    /// <summary>Whether it is the project's own image.</summary>
    public bool IsOwn { get; private init; }

    public IEnumerable<Registry> Registries => selected.Select(one => one.Image.Repository.Registry).Distinct();

    /// <summary>Reads what is selected.</summary>
    /// <exception cref="ImagePublishException"><c>IMG1001</c>, <c>IMG1007</c>: something is no image of a registry, or the file can't be
    /// read.</exception>
    public static ImageSelection Read(string? words, string? file, CommandTask inputs)
    {
        string[] texts = [.. InputParser.Words(words), .. ReadFile(InputParser.Optional(file), inputs)];
        if (texts.Length > 0 || InputParser.Optional(file) is not null)
            return new ImageSelection([.. texts.Distinct(StringComparer.Ordinal).Select(Parse)]);
        return new CommandNames(inputs).ProjectImage is RegistryImage own
            ? new ImageSelection([(own.Reference, null)]) { IsOwn = true }
            : throw new ImagePublishException(
                DiagnosticCodes.PropertyMissing,
                $"{inputs.GetType().Name} needs images of a registry: set ImageSource, for example "
                    + "-p:ImageSource=ghcr.io/acme/shop:1.0, ImageSourceFile, or the project's ImageRegistry."
            );
    }

    /// <summary>The images, with the tags that match patterns.</summary>
    /// <exception cref="ImagePublishException">A registry does not list its tags; or there are too many.</exception>
    public async Task<IReadOnlyList<Reference>> ResolveAsync(RegistryClient registries, CancellationToken cancellationToken)
    {
        var images = new List<Reference>();
        foreach (var (image, pattern) in selected)
        {
            if (pattern is null)
                images.Add(image);
            else
                await foreach (var tag in registries.ListTagsAsync(image.Repository, cancellationToken))
                {
                    if (pattern.Matches(tag.Value) && !IsAttached(tag))
                        images.Add(image.Repository.ReferenceTo(tag));
                }

            if (images.Count > MaxImages)
                throw new ImagePublishException(
                    DiagnosticCodes.TooLarge,
                    $"More than {MaxImages} images are selected. Choose fewer with a narrower pattern of tags: {image.Repository}:1.*."
                );
        }

        return [.. images.Distinct()];
    }

    // Tags by which signatures and lists of attachments are found: sha256-….sig.
    private static bool IsAttached(Tag tag) => tag.Value.StartsWith("sha256-", StringComparison.Ordinal);

    private static (Reference Image, Glob? Tags) Parse(string text)
    {
        var colon = text.LastIndexOf(':');
        var tags = colon > text.LastIndexOf('/') ? text[(colon + 1)..] : "";
        var pattern = tags.AsSpan().ContainsAny('*', '?') ? new Glob(tags) : null;
        var name = pattern is null ? text : text[..colon];
        return ImageSourceReader.RegistryImageOf(name) is { } reference
            ? (reference, pattern)
            : throw InputParser.Invalid(
                "ImageSource",
                text,
                "expected images of a registry, with its host: ghcr.io/acme/shop:1.0, or ghcr.io/acme/shop:1.* for all such tags"
            );
    }

    private static string[] ReadFile(string? file, CommandTask inputs)
    {
        if (file is null)
            return [];
        var path = inputs.ResolvePath(file);
        try
        {
            if (new FileInfo(path).Length > MaxFileLength)
                throw InputParser.Invalid("ImageSourceFile", file, $"it has more than {MaxFileLength >> 20} MiB");
            return
            [
                .. File.ReadLines(path)
                    .Select(line => line.Split('#')[0].Trim())
                    .Where(line => line.Length > 0)
                    .Select(line =>
                        line.Any(char.IsWhiteSpace)
                            ? throw InputParser.Invalid(
                                "ImageSourceFile",
                                file,
                                $"expected one image a line, not '{Text.Shortened(line, 100)}'"
                            )
                            : line
                    ),
            ];
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw InputParser.Invalid("ImageSourceFile", file, $"it can't be read ({Text.Sanitize(exception.Message).TrimEnd('.')})");
        }
    }
}

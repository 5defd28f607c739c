using System.Text.RegularExpressions;
using ImagePublish.Diagnostics;
using ImagePublish.Tasks.Shared;
using Microsoft.Build.Framework;

namespace ImagePublish.Tasks;

/// <summary>
/// Another image of the same publish, as an <c>ImageVariant</c> says it: the layers of the project's image, with what the items add whose
/// <c>Variant</c> names it.
/// </summary>
internal sealed partial record ImageVariant(string Name)
{
    public const string Kind = "ImageVariant";

    /// <summary>The metadata by which other items are for variants, one or more.</summary>
    public const string Metadata = "Variant";

    private const int MaxName = 64;

    /// <summary>What each tag of the project's image has at its end.</summary>
    public required string TagSuffix { get; init; }

    /// <summary>The repository; null for that of the project's image.</summary>
    public string? Repository { get; init; }

    public string? User { get; init; }

    public ITaskItem[] Entrypoint { get; init; } = [];

    public ITaskItem[] Command { get; init; } = [];

    public override string ToString() => $"the variant '{Name}'";

    /// <exception cref="ImagePublishException"><c>IMG1007</c>: one can't be.</exception>
    public static IReadOnlyList<ImageVariant> Read(ITaskItem[] items)
    {
        var variants = new List<ImageVariant>();
        foreach (var item in items)
        {
            var variant = Read(item);
            if (variants.Exists(other => string.Equals(other.Name, variant.Name, StringComparison.OrdinalIgnoreCase)))
                throw Invalid(item, "there are two of this name. Leave one of them out");
            if (variants.Find(other => other.Repository == variant.Repository && other.TagSuffix == variant.TagSuffix) is { } same)
                throw Invalid(item, $"it has the same tags as {same}. Give it a TagSuffix or a Repository of its own");
            variants.Add(variant);
        }

        return variants;
    }

    /// <summary>The items that are for the project's own image.</summary>
    public static ITaskItem[] Common(ITaskItem[] items) => [.. items.Where(item => NamesOf(item).Length == 0)];

    /// <summary>The items that are for a variant alone; none for the project's own image.</summary>
    public static ITaskItem[] OfOnly(ITaskItem[] items, ImageVariant? variant) =>
        variant is null ? [] : [.. items.Where(item => NamesOf(item).Contains(variant.Name, StringComparer.OrdinalIgnoreCase))];

    /// <summary>Both: what a variant says replaces what the project's image has under the same name.</summary>
    public static ITaskItem[] Merged(ITaskItem[] items, ImageVariant? variant)
    {
        var own = OfOnly(items, variant);
        var replaced = own.Select(item => item.ItemSpec).ToHashSet(StringComparer.Ordinal);
        return [.. Common(items).Where(item => !replaced.Contains(item.ItemSpec)), .. own];
    }

    public static string[] NamesOf(ITaskItem item) => InputParser.Words(item.GetMetadata(Metadata));

    private static ImageVariant Read(ITaskItem item)
    {
        if (item.ItemSpec.Length > MaxName || !Word().IsMatch(item.ItemSpec))
            throw Invalid(item, $"expected a name of letters, digits, '.', '_' and '-', at most {MaxName}, such as debug");
        var repository = InputParser.Optional(item.GetMetadata("Repository"));
        var suffix = InputParser.Optional(item.GetMetadata("TagSuffix")) ?? (repository is null ? "-" + item.ItemSpec : "");
        if (suffix.Length > MaxName || !Suffix().IsMatch(suffix))
            throw Invalid(item, $"its TagSuffix has what tags can't end with: letters, digits, '.', '_' and '-', at most {MaxName}");
        return new ImageVariant(item.ItemSpec)
        {
            TagSuffix = suffix,
            Repository = repository,
            User = InputParser.Optional(item.GetMetadata("User")),
            Entrypoint = WordsOf(item, "Entrypoint"),
            Command = WordsOf(item, "Command"),
        };
    }

    private static ITaskItem[] WordsOf(ITaskItem item, string name) =>
        [
            .. item.GetMetadata(name)
                .Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
                .Select(OutputItem.Create),
        ];

    private static ImagePublishException Invalid(ITaskItem item, string why) => InputParser.Invalid(ItemLocations.Locate(item, Kind), why);

    [GeneratedRegex(@"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    private static partial Regex Word();

    [GeneratedRegex(@"^[A-Za-z0-9._-]*$")]
    private static partial Regex Suffix();
}

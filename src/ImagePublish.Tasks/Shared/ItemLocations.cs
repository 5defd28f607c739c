using System.Xml;
using System.Xml.Linq;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using Microsoft.Build.Framework;

namespace ImagePublish.Tasks.Shared;

/// <summary>Where items come from. MSBuild gives tasks the file; the line is looked up when there is an error to report.</summary>
internal static class ItemLocations
{
    public const string File = "ImageFile";
    public const string Directory = "ImageDirectory";
    public const string Symlink = "ImageSymlink";
    public const string Layers = "ImageLayerFrom";

    private static readonly string[] NoMetadata =
    [
        "Include",
        "Exclude",
        "Condition",
        "Label",
        "MatchOnMetadata",
        "KeepMetadata",
        "RemoveMetadata",
        "KeepDuplicates",
    ];

    public static ItemSource Locate(ITaskItem item, string kind) =>
        new(kind, Text.Sanitize(item.ItemSpec), InputParser.Optional(item.GetMetadata("DefiningProjectFullPath")))
        {
            Metadata = item.CloneCustomMetadata()
                .Keys.Cast<string>()
                .ToDictionary(name => name, item.GetMetadata, StringComparer.OrdinalIgnoreCase),
        };

    /// <summary>The line and column where an item stands, where that is certain.</summary>
    public static (int Line, int Column) Locate(ItemSource item)
    {
        if (item.File is null)
            return default;
        try
        {
            var elements = XDocument
                .Load(item.File, LoadOptions.SetLineInfo)
                .Descendants()
                .Where(element =>
                    element.Name.LocalName == item.Kind && element.Attribute("Include") is not null && SaysTheSame(element, item.Metadata)
                )
                .ToList();
            var exact = elements
                .Where(element =>
                    element.Attribute("Include")!.Value.Split(';').Any(spec => Text.Sanitize(Unescaped(spec.Trim())) == item.Spec)
                )
                .ToList();
            var likely = exact.Count > 0 ? exact : elements;
            // Of two that fit, the one with more metadata: the other would have made an item without it.
            return
                likely.GroupBy(element => Metadata(element).Count()).MaxBy(group => group.Key)?.ToList() is [var only]
                && only is IXmlLineInfo info
                && info.HasLineInfo()
                ? (info.LineNumber, info.LinePosition)
                : default;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or XmlException)
        {
            return default;
        }
    }

    // What refers to something else is not known here, and could be anything.
    private static bool SaysTheSame(XElement element, IReadOnlyDictionary<string, string> metadata) =>
        Metadata(element)
            .All(said =>
                said.Value.Contains("$(", StringComparison.Ordinal)
                || said.Value.Contains("@(", StringComparison.Ordinal)
                || said.Value.Contains("%(", StringComparison.Ordinal)
                || metadata.GetValueOrDefault(said.Name, "") == Unescaped(said.Value)
            );

    private static IEnumerable<(string Name, string Value)> Metadata(XElement element) =>
        element
            .Attributes()
            .Where(attribute => !NoMetadata.Contains(attribute.Name.LocalName))
            .Select(attribute => (attribute.Name.LocalName, attribute.Value))
            .Concat(
                element.Elements().Where(child => child.Attribute("Condition") is null).Select(child => (child.Name.LocalName, child.Value))
            );

    private static string Unescaped(string value) => Uri.UnescapeDataString(value);
}

using System.Xml;
using System.Xml.Linq;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using Microsoft.Build.Framework;

namespace ImagePublish.Tasks;

/// <summary>Where items come from. MSBuild tells tasks the file; the line is looked up when there is something to complain about.</summary>
internal static class Sources
{
    public const string File = "ImageFile";
    public const string Directory = "ImageDirectory";
    public const string Symlink = "ImageSymlink";

    /// <summary>An item as messages name it.</summary>
    /// <param name="item">The item.</param>
    /// <param name="kind">Its type.</param>
    /// <returns>The source.</returns>
    public static ItemSource Of(ITaskItem item, string kind) => new(kind, Text.Shown(item.ItemSpec), Lists.Optional(item.GetMetadata("DefiningProjectFullPath")));

    /// <summary>The line and column where an item stands, where that is certain.</summary>
    /// <param name="item">The item.</param>
    /// <returns>Line and column from 1, or zeros.</returns>
    public static (int Line, int Column) Locate(ItemSource item)
    {
        if (item.File is null)
            return default;
        try
        {
            var elements = XDocument.Load(item.File, LoadOptions.SetLineInfo).Descendants().Where(element => element.Name.LocalName == item.Kind && element.Attribute("Include") is not null).ToList();
            var exact = elements.Where(element => element.Attribute("Include")!.Value.Split(';').Any(spec => Text.Shown(spec.Trim()) == item.Spec)).ToList();
            return (exact.Count > 0 ? exact : elements) is [var only] && only is IXmlLineInfo info && info.HasLineInfo() ? (info.LineNumber, info.LinePosition) : default;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or XmlException)
        {
            return default;
        }
    }
}

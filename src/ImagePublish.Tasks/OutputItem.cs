using Microsoft.Build.Framework;
using Microsoft.Build.Utilities;

namespace ImagePublish.Tasks;

/// <summary>Items that tasks return.</summary>
/// <remarks>
/// MSBuild takes the text of an item for escaped: of a label <c>50%25</c> it would make <c>50%</c>, and of <c>a;b</c> two items where it is
/// used. So all text is escaped here, with MSBuild's own rules, and only the separators of lists are not.
/// </remarks>
internal static class OutputItem
{
    public static TaskItem Create(string identity) => new(Escape(identity));

    public static void SetText(this ITaskItem item, string name, string text) => ((ITaskItem2)item).SetMetadataValueLiteral(name, text);

    /// <summary>Sets metadata to a list, which becomes several items where it is used as such.</summary>
    public static void SetList(this ITaskItem item, string name, IEnumerable<string> texts) =>
        item.SetMetadata(name, string.Join(';', texts.Select(Escape)));

    // MSBuild offers its rules to tasks only as a way to set metadata.
    private static string Escape(string text)
    {
        ITaskItem2 item = new TaskItem();
        item.SetMetadataValueLiteral("Text", text);
        return item.GetMetadataValueEscaped("Text");
    }
}

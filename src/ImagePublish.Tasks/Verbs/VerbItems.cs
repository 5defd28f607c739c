using System.Globalization;
using ImagePublish.Oci;
using Microsoft.Build.Framework;
using Microsoft.Build.Utilities;

namespace ImagePublish.Tasks.Verbs;

/// <summary>What verbs found and did as MSBuild items.</summary>
internal static class VerbItems
{
    /// <summary>An item with metadata; a null is left out.</summary>
    /// <param name="identity">The item.</param>
    /// <param name="metadata">Its metadata.</param>
    /// <returns>The item.</returns>
    public static ITaskItem Of(string identity, params ReadOnlySpan<(string Name, object? Value)> metadata)
    {
        var item = new TaskItem(identity);
        foreach (var (name, value) in metadata)
        {
            if (value is not null)
                item.SetMetadata(name, Convert.ToString(value, CultureInfo.InvariantCulture));
        }

        return item;
    }

    /// <summary>Platforms as one text.</summary>
    /// <param name="platforms">The platforms.</param>
    /// <returns>Divided by <c>;</c>.</returns>
    public static string Join(IEnumerable<Platform> platforms) => string.Join(';', platforms.Select(platform => (platform with { OsVersion = null }).ToString()));
}

using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using ImagePublish.Diagnostics;
using ImagePublish.Tasks.Shared;
using Microsoft.Build.Framework;

namespace ImagePublish.Tasks;

/// <summary>Hands a task what the targets list once for all tasks: each metadata of an item is the parameter of its name.</summary>
internal static class TaskParameters
{
    // What every item has, whatever the targets say.
    private static readonly HashSet<string> WellKnown = new(
        [
            "FullPath",
            "RootDir",
            "Filename",
            "Extension",
            "RelativeDir",
            "Directory",
            "RecursiveDir",
            "Identity",
            "ModifiedTime",
            "CreatedTime",
            "AccessedTime",
            "DefiningProjectFullPath",
            "DefiningProjectDirectory",
            "DefiningProjectName",
            "DefiningProjectExtension",
        ],
        StringComparer.OrdinalIgnoreCase
    );

    /// <summary>
    /// Sets the parameters. It says what is wrong rather than throwing it: the log that would report it needs some of them.
    /// </summary>
    public static Exception? Apply(ImageTask task, ITaskItem[] items)
    {
        Exception? wrong = null;
        foreach (var item in items)
        {
            foreach (var name in item.MetadataNames.Cast<string>().Where(name => !WellKnown.Contains(name)))
            {
                try
                {
                    Apply(task, name, item.GetMetadata(name));
                }
                catch (Exception exception) when (exception is ImagePublishException or InvalidOperationException)
                {
                    wrong ??= exception;
                }
            }
        }

        return wrong;
    }

    // As MSBuild does it with parameters: one that is empty is not set, and one that the task does not have is a mistake of the targets.
    [UnconditionalSuppressMessage(
        "Trimming",
        "IL2075",
        Justification = "MSBuild sets parameters of tasks in the same way; no task is ever trimmed."
    )]
    private static void Apply(ImageTask task, string name, string value)
    {
        var property = task.GetType().GetProperty(name, BindingFlags.Public | BindingFlags.Instance)
            ?? throw new InvalidOperationException($"{task.GetType().Name} has no parameter '{name}'.");
        if (value.Length == 0)
            return;
        property.SetValue(task, property.PropertyType == typeof(bool) ? ReadSwitch(name, value) : value);
    }

    private static bool ReadSwitch(string name, string value) =>
        value.Trim().ToLowerInvariant() switch
        {
            "true" or "on" or "yes" or "!false" or "!off" or "!no" => true,
            "false" or "off" or "no" or "!true" or "!on" or "!yes" => false,
            _ => throw InputParser.Invalid($"Image{name}", value, "expected true or false"),
        };
}

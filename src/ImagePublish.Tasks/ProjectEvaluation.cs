using System.Collections;
using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using Microsoft.Build.Framework;

namespace ImagePublish.Tasks;

/// <summary>What the evaluation of a project read.</summary>
/// <param name="Imports">The files that it imported.</param>
/// <param name="Items">What its items name outside of its folder, by full paths. Most of them are files.</param>
/// <remarks>
/// A task's way to them is not public, though the lists themselves are (<c>ProjectInstance.ImportPaths</c>), and evaluating the project
/// once more would cost a large build more than all else that this package does. MSBuild.exe of Visual Studio runs the task in
/// another process, which has no project: whoever asks must do without.
/// </remarks>
internal sealed record ProjectEvaluation(IReadOnlyList<string> Imports, IReadOnlyList<string> Items)
{
    // Files of this type are no part of the output but where they are copied, which the targets know.
    private const string Unused = "None";

    /// <summary>Reads it; null where MSBuild does not hand it out.</summary>
    public static ProjectEvaluation? Read(IBuildEngine engine)
    {
        var entry = ValueOf(engine, "_requestEntry");
        var project = ValueOf(ValueOf(entry, "RequestConfiguration"), "Project");
        if (ValueOf(project, "ImportPaths") is not IReadOnlyList<string> imports || ValueOf(project, "Items") is not IEnumerable items)
            return null;
        try
        {
            return ValueOf(project, "Directory") is string folder
                ? new ProjectEvaluation(imports, [.. items.Cast<object>().Select(item => PathOf(item, folder)).OfType<string>()])
                : null;
        }
        catch (InvalidOperationException)
        {
            // Another target changed the list meanwhile.
            return null;
        }
    }

    /// <summary>The targets that whoever asked for this build of the project named; none for its default, and null where MSBuild does not
    /// hand them out.</summary>
    public static IReadOnlyList<string>? RequestedTargets(IBuildEngine engine) =>
        ValueOf(ValueOf(ValueOf(engine, "_requestEntry"), "Request"), "Targets") is IEnumerable<string> targets ? [.. targets] : null;

    private static string? PathOf(object item, string folder)
    {
        if (ValueOf(item, "EvaluatedInclude") is not string include || ValueOf(item, "ItemType") is Unused)
            return null;
        return Path.IsPathRooted(include) || include.Contains("..", StringComparison.Ordinal) ? Path.GetFullPath(include, folder) : null;
    }

    [UnconditionalSuppressMessage("Trimming", "IL2075", Justification = "No task is ever trimmed.")]
    [SuppressMessage("Major Code Smell", "S3011", Justification = "See the remarks.")]
    private static object? ValueOf(object? owner, string name)
    {
        const BindingFlags Any = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic;
        try
        {
            return owner?.GetType().GetField(name, Any)?.GetValue(owner) ?? owner?.GetType().GetProperty(name, Any)?.GetValue(owner);
        }
        catch (Exception exception) when (exception is TargetInvocationException or AmbiguousMatchException or MemberAccessException)
        {
            return null;
        }
    }
}

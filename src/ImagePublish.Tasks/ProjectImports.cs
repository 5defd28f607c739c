using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using Microsoft.Build.Framework;

namespace ImagePublish.Tasks;

/// <summary>The files that the evaluation of a project imported.</summary>
internal static class ProjectImports
{
    /// <summary>The paths; null where MSBuild does not hand them out.</summary>
    /// <remarks>
    /// A task's way to them is not public, though the list itself is (<c>ProjectInstance.ImportPaths</c>), and evaluating the project once
    /// more would cost a large build more than all else that this package does. MSBuild.exe of Visual Studio runs the task in
    /// another process, which has no project: whoever asks must do without.
    /// </remarks>
    public static IReadOnlyList<string>? Read(IBuildEngine engine)
    {
        var entry = ValueOf(engine, "_requestEntry");
        var project = ValueOf(ValueOf(entry, "RequestConfiguration"), "Project");
        return ValueOf(project, "ImportPaths") as IReadOnlyList<string>;
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

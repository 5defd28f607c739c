using System.Globalization;

namespace ImagePublish.Tasks.Ci;

/// <summary>
/// Marks warnings and errors for Azure Pipelines, which takes them from commands alone. GitHub Actions takes them from MSBuild's own lines:
/// the problem matcher of the problem matcher of the step that installs .NET tells it how.
/// </summary>
internal sealed class CiAnnotations(Func<string, string?> variable, Action<AzureCommand> say)
{
    public static bool IsAzure(Func<string, string?> variable) =>
        string.Equals(variable("TF_BUILD"), "True", StringComparison.OrdinalIgnoreCase);

    public void Mark(string kind, string code, string message, string? file = null, int line = 0)
    {
        if (!IsAzure(variable))
            return;
        var lineNumber = line.ToString(CultureInfo.InvariantCulture);
        say(
            file is null
                ? AzureCommand.Create("task.logissue", message, ("type", kind), ("code", code))
                : AzureCommand.Create(
                    "task.logissue",
                    message,
                    ("type", kind),
                    ("sourcepath", file),
                    ("linenumber", lineNumber),
                    ("code", code)
                )
        );
    }
}

using System.Globalization;

namespace ImagePublish.Tasks.Ci;

/// <summary>
/// Marks warnings and errors for Azure Pipelines, which takes them from commands alone. GitHub Actions takes them from MSBuild's own lines: the step that installs .NET tells it how.
/// </summary>
/// <param name="variable">Reads an environment variable; null or empty when it is not set.</param>
/// <param name="say">Prints a command.</param>
internal sealed class CiAnnotations(Func<string, string?> variable, Action<AzureCommand> say)
{
    /// <summary>Whether Azure Pipelines runs the build.</summary>
    /// <param name="variable">Reads an environment variable.</param>
    /// <returns>Whether it does.</returns>
    public static bool IsAzure(Func<string, string?> variable) => string.Equals(variable("TF_BUILD"), "True", StringComparison.OrdinalIgnoreCase);

    /// <summary>Marks a warning or an error.</summary>
    /// <param name="kind"><c>warning</c> or <c>error</c>.</param>
    /// <param name="code">Its code.</param>
    /// <param name="message">Its text.</param>
    /// <param name="file">The file that is to blame; null for none.</param>
    /// <param name="line">Its line; 0 for none.</param>
    public void Mark(string kind, string code, string message, string? file = null, int line = 0)
    {
        if (!IsAzure(variable))
            return;
        var lineNumber = line.ToString(CultureInfo.InvariantCulture);
        say(file is null
            ? AzureCommand.Of("task.logissue", message, ("type", kind), ("code", code))
            : AzureCommand.Of("task.logissue", message, ("type", kind), ("sourcepath", file), ("linenumber", lineNumber), ("code", code)));
    }
}

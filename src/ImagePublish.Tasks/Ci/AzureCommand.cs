using System.Text;

namespace ImagePublish.Tasks.Ci;

/// <summary>
/// A command to the agent of Azure Pipelines. The only text that may be printed with a command's prefix: all other text has it broken.
/// </summary>
/// <remarks><see href="https://learn.microsoft.com/azure/devops/pipelines/scripts/logging-commands">Logging commands</see>.</remarks>
internal sealed class AzureCommand
{
    private AzureCommand(string line) => Line = line;

    public string Line { get; }

    public static AzureCommand Create(string name, string data, params ReadOnlySpan<(string Name, string Value)> properties)
    {
        var line = new StringBuilder($"##vso[{name}");
        for (var at = 0; at < properties.Length; at++)
            line.Append(at == 0 ? ' ' : ';').Append(properties[at].Name).Append('=').Append(Property(properties[at].Value));
        return new AzureCommand(line.Append(']').Append(Escaped(data)).ToString());
    }

    // The agent reads %AZP25 as a percent sign.
    private static string Escaped(string text) =>
        text.Replace("%", "%AZP25", StringComparison.Ordinal)
            .Replace("\r", "%0D", StringComparison.Ordinal)
            .Replace("\n", "%0A", StringComparison.Ordinal);

    private static string Property(string text) =>
        Escaped(text).Replace(";", "%3B", StringComparison.Ordinal).Replace("]", "%5D", StringComparison.Ordinal);
}

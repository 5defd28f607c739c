using System.Collections;
using ImagePublish.Common;

namespace ImagePublish.Tasks.Shared;

/// <summary>The environment variables, as they were when the task began.</summary>
/// <remarks>While a task yields its node MSBuild builds other projects in this process, and may give it their variables. See
/// <see href="https://github.com/dotnet/msbuild/issues/12013">msbuild#12013</see>.</remarks>
internal static class TaskEnvironment
{
    private static readonly AsyncLocal<IReadOnlyDictionary<string, string?>?> Kept = new();

    private static IReadOnlyDictionary<string, string?> Variables => Kept.Value ?? Read();

    public static IEnumerable<string> Names => Variables.Keys;

    /// <summary>Keeps them as they are, for what the caller does from here on, and for the programs that it runs.</summary>
    public static void Keep()
    {
        Kept.Value = Read();
        Programs.KeepEnvironment(Kept.Value);
    }

    public static string? Variable(string name) =>
        Kept.Value is { } kept ? kept.GetValueOrDefault(name) : Environment.GetEnvironmentVariable(name);

    private static Dictionary<string, string?> Read()
    {
        var variables = new Dictionary<string, string?>(
            OperatingSystem.IsWindows() ? StringComparer.OrdinalIgnoreCase : StringComparer.Ordinal
        );
        foreach (DictionaryEntry variable in Environment.GetEnvironmentVariables())
            variables[(string)variable.Key] = (string?)variable.Value;
        return variables;
    }
}

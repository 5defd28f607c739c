using System.Text.RegularExpressions;
using ImagePublish.Reporting.Progress;
using ImagePublish.Tasks.Shared;

namespace ImagePublish.Tasks.Progress;

/// <summary>The terminal of this process. A node of a build that is a process of its own has none.</summary>
internal sealed partial class ConsoleTerminal : ITerminal
{
    private static readonly string[] CiVariables =
    [
        "CI",
        "TF_BUILD",
        "GITHUB_ACTIONS",
        "GITLAB_CI",
        "TEAMCITY_VERSION",
        "JENKINS_URL",
        "BUILDKITE",
    ];

    public int Width => Measure(static () => Console.WindowWidth);

    public int Height => Measure(static () => Console.WindowHeight);

    public bool IsUnicode { get; } = OperatingSystem.IsWindows() || IsUtf8(TaskEnvironment.Variable);

    public static bool IsThere(Func<string, string?> variable) =>
        !Console.IsOutputRedirected
        && (OperatingSystem.IsWindows() || variable("TERM") is not (null or "" or "dumb"))
        && Array.TrueForAll(CiVariables, name => variable(name) is null or "" or "false" or "0");

    /// <summary>
    /// Whether MSBuild draws on it by itself. MSBuild sets this variable, for Microsoft's test targets; without it there are lines.
    /// </summary>
    public static bool HasTerminalLogger(Func<string, string?> variable) => variable("_MSBUILDTLENABLED") == "1";

    /// <summary>
    /// Whether the command line asks for nothing but errors and warnings. A task can't ask for it, and a binary log makes MSBuild gather
    /// every message.
    /// </summary>
    public static bool IsQuiet(IEnumerable<string> arguments) => QuietSwitch().IsMatch(string.Join(' ', arguments));

    /// <summary>
    /// Whether what this process prints is something else than a log: values that the command line asks for, nothing, or what the node of
    /// another process prints.
    /// </summary>
    public static bool IsNotTheLog(IEnumerable<string> arguments)
    {
        var line = string.Join(' ', arguments);
        return NoLogSwitch().IsMatch(line)
            || (ValueSwitch().IsMatch(line) && !line.Contains("getResultOutputFile", StringComparison.OrdinalIgnoreCase));
    }

    /// <summary>Whether this process is an MSBuild server: it prints the logs of builds that other processes ask it for.</summary>
    public static bool IsServer(IEnumerable<string> arguments) => ServerSwitch().IsMatch(string.Join(' ', arguments));

    public void Write(string text)
    {
        try
        {
            Console.Out.Write(text);
        }
        catch (IOException)
        {
            // The terminal was closed; the build goes on without.
        }
    }

    // As the C library decides it: the first of these that is set.
    private static bool IsUtf8(Func<string, string?> variable) =>
        (
            variable("LC_ALL") is { Length: > 0 } all ? all
            : variable("LC_CTYPE") is { Length: > 0 } type ? type
            : variable("LANG")
        )
            is { } locale
        && (locale.Contains("utf-8", StringComparison.OrdinalIgnoreCase) || locale.Contains("utf8", StringComparison.OrdinalIgnoreCase));

    private static int Measure(Func<int> size)
    {
        try
        {
            return size();
        }
        catch (IOException)
        {
            return 0;
        }
    }

    [GeneratedRegex(
        @"(^|\s)(-|--|/)(noconsolelogger|noconlog|nodemode)\b(?!:8\b)",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant
    )]
    private static partial Regex NoLogSwitch();

    [GeneratedRegex(@"(^|\s)(-|--|/)nodemode:8\b", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex ServerSwitch();

    [GeneratedRegex(@"(^|\s)(-|--|/)get(property|item|targetresult)\b", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex ValueSwitch();

    [GeneratedRegex(@"(^|\s)(-|--|/)(v|verbosity)(:|=|\s)q(uiet)?(\s|$)", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex QuietSwitch();
}

using System.ComponentModel;
using ImagePublish.Common;
using ImagePublish.Tasks.Shared;

namespace ImagePublish.Tasks;

/// <summary>What git knows of the commit that is checked out.</summary>
internal sealed record GitAnswer(string? Revision = null, string? Time = null, string? Decoration = null, string? Problem = null);

/// <summary>Asks git about the checkout that a folder is in.</summary>
/// <remarks>
/// git refuses a repository that another user owns, as is usual in job containers, unless it is named explicitly: then it trusts the caller
/// to know what he does.
/// That is safe as long as nothing runs that the repository's configuration names: no pager, hook, monitor or signature check, and no
/// transport that fetches missing objects.
/// </remarks>
internal sealed class GitCheckout(string repository, Func<string, string?> variable, TimeSpan limit)
{
    private const string NoCommits = "does not have any commits yet";

    private static readonly string[] Hardening = ["--no-pager", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null"];

    private static readonly string[] Query =
    [
        "log",
        "-1",
        "--no-patch",
        "--no-show-signature",
        "--no-color",
        "--decorate=short",
        "--format=%H%n%ct%n%D",
    ];

    private static readonly Dictionary<string, string?> Surroundings = new()
    {
        ["GIT_ALLOW_PROTOCOL"] = "none",
        ["GIT_NO_LAZY_FETCH"] = "1",
        ["GIT_OPTIONAL_LOCKS"] = "0",
        ["GIT_TERMINAL_PROMPT"] = "0",
        ["LANGUAGE"] = null,
        ["LC_ALL"] = "C",
    };

    /// <summary>
    /// Finds the repository of a folder as git does: the nearest folder above that has one, or a file that points at one, but not above a
    /// ceiling.
    /// </summary>
    /// <param name="variable">Reads an environment variable; an absolute GIT_DIR is the user's own choice of a repository.</param>
    public static string? Find(string folder, Func<string, string?> variable)
    {
        if (variable("GIT_DIR") is { } chosen && Path.IsPathFullyQualified(chosen))
            return chosen;
        var ceilings = (variable("GIT_CEILING_DIRECTORIES") ?? "")
            .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Select(Path.TrimEndingDirectorySeparator)
            .ToHashSet(StringComparer.Ordinal);
        for (var current = Path.TrimEndingDirectorySeparator(folder); current is not null; current = Path.GetDirectoryName(current))
        {
            var candidate = Path.Combine(current, ".git");
            if (File.Exists(candidate) || File.Exists(Path.Combine(candidate, "HEAD")))
                return candidate;
            if (Path.GetDirectoryName(current) is { } parent && ceilings.Contains(parent))
                return null;
        }

        return null;
    }

    public async Task<GitAnswer> AskAsync()
    {
        if (Programs.Find("git", variable("PATH"), OperatingSystem.IsWindows()) is not { } git)
            return Failed("git is not on the PATH");
        var start = new ProgramStart(git, [$"--git-dir={repository}", .. Hardening, .. Query])
        {
            WorkingDirectory = Path.GetDirectoryName(repository),
            Variables = Surroundings,
            TimeLimit = limit,
        };
        try
        {
            var result = await Programs.RunAsync(start, CancellationToken.None);
            return result.ExitCode == 0 ? Read(result.Text) : Refused(result.Errors, result.ExitCode);
        }
        catch (TimeoutException)
        {
            return Failed(FormattableString.Invariant($"git did not answer within {limit.TotalSeconds:0.#} seconds"));
        }
        catch (Win32Exception exception)
        {
            return Failed($"'{git}' can not be started ({exception.Message})");
        }
    }

    private static GitAnswer Read(string output)
    {
        var lines = output.Split('\n').Select(InputParser.Optional).ToList();
        return new GitAnswer(lines.ElementAtOrDefault(0), lines.ElementAtOrDefault(1), lines.ElementAtOrDefault(2));
    }

    // Before the first commit there is nothing to know, which is no failure.
    private GitAnswer Refused(string errors, int exitCode)
    {
        if (errors.Contains(NoCommits, StringComparison.Ordinal))
            return new GitAnswer();
        var said = errors.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        var reason = Array.Find(said, line => line.StartsWith("fatal:", StringComparison.Ordinal)) ?? said.FirstOrDefault();
        return Failed(reason is null ? FormattableString.Invariant($"git ended with {exitCode}") : $"git says '{reason}'");
    }

    private GitAnswer Failed(string reason) =>
        new(Problem: $"The commit of the checkout '{Text.Sanitize(repository)}' can't be read: {Text.Sanitize(reason)}");
}

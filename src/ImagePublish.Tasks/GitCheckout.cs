using System.ComponentModel;
using System.Text;
using ImagePublish.Common;
using ImagePublish.Tasks.Shared;

namespace ImagePublish.Tasks;

/// <summary>What git knows of the commit that is checked out.</summary>
internal sealed record GitAnswer(string? Revision = null, string? Time = null, string? Decoration = null, string? Problem = null);

/// <summary>What git printed, or why it did not.</summary>
internal sealed record GitOutput(string Text, string? Problem = null, bool IsTooSlow = false);

/// <summary>Asks git about the checkout that a folder is in.</summary>
/// <remarks>
/// git refuses a repository that another user owns, as is usual in job containers, unless it is named explicitly: then it trusts the caller
/// to know what he does.
/// That is safe as long as nothing runs that the repository's configuration names: no pager, hook, monitor or signature check, no
/// filter, and no transport that fetches missing objects.
/// </remarks>
internal sealed class GitCheckout(string repository, Func<string, string?> variable, TimeSpan limit)
{
    private const string NoCommits = "does not have any commits yet";
    private const string OtherOwner = "dubious ownership";

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

    private static readonly string[] Status =
    [
        "status",
        "--porcelain=v1",
        "-z",
        "--untracked-files=all",
        "--ignored=matching",
        "--no-renames",
    ];

    private static readonly Dictionary<string, string?> Surroundings = new()
    {
        ["GIT_ALLOW_PROTOCOL"] = "none",
        ["GIT_NO_LAZY_FETCH"] = "1",
        ["GIT_NO_REPLACE_OBJECTS"] = "1",
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
            if (RepositoryIn(current) is { } found)
                return found;
            if (Path.GetDirectoryName(current) is { } parent && ceilings.Contains(parent))
                return null;
        }

        return null;
    }

    /// <summary>The repository that a folder is the root of.</summary>
    public static string? RepositoryIn(string folder)
    {
        var candidate = Path.Combine(folder, ".git");
        return File.Exists(candidate) || File.Exists(Path.Combine(candidate, "HEAD")) ? candidate : null;
    }

    public async Task<GitAnswer> AskAsync()
    {
        var output = await RunAsync([$"--git-dir={repository}", .. Query]);
        // Before the first commit there is nothing to know, which is no failure.
        if (output.Problem is { } problem)
            return problem.Contains(NoCommits, StringComparison.Ordinal) ? new GitAnswer() : new GitAnswer(Problem: problem);
        var lines = output.Text.Split('\n').Select(InputParser.Optional).ToList();
        return new GitAnswer(lines.ElementAtOrDefault(0), lines.ElementAtOrDefault(1), lines.ElementAtOrDefault(2));
    }

    /// <summary>The last commit that changed one of these paths, as "seconds hash"; nothing where none did.</summary>
    /// <remarks>
    /// git simplifies the history: where a merge left the paths as one of its parents has them, it follows that parent alone. So the
    /// commit has the paths with the content that they have in HEAD, whatever was merged since.
    /// </remarks>
    public Task<GitOutput> FindLastCommitAsync(IReadOnlyCollection<string> pathspecs) =>
        RunAsync(
            [$"--git-dir={repository}", "rev-list", "--max-count=1", "--timestamp", "--stdin"],
            string.Concat(["HEAD\n--\n", .. pathspecs.Select(pathspec => pathspec + "\n")])
        );

    /// <summary>The paths that differ between HEAD and the commit that it has in common with another one, each ended by a NUL.</summary>
    public Task<GitOutput> ListChangesSinceAsync(string commit) =>
        RunAsync([$"--git-dir={repository}", "diff-tree", "-r", "-z", "--name-only", "--no-renames", "--merge-base", commit, "HEAD"]);

    /// <summary>Where the history of a shallow clone ends: the path of git's list, which exists only in such a clone.</summary>
    public Task<GitOutput> FindShallowListAsync() =>
        RunAsync([$"--git-dir={repository}", "rev-parse", "--path-format=absolute", "--git-path", "shallow"]);

    /// <summary>What differs from HEAD, what git does not know, and what it ignores: <c>XY path</c>, each ended by a NUL.</summary>
    /// <remarks>
    /// This is the one question for which git may run filters, such as Git LFS. It does so in a repository of this user's alone; in any
    /// other it compares what is there as it is, and a filtered file may count as changed.
    /// </remarks>
    public async Task<GitOutput> ReadStatusAsync()
    {
        var own = await RunAsync(Status);
        if (own.Problem?.Contains(OtherOwner, StringComparison.Ordinal) != true)
            return own;
        var settings = await RunAsync([$"--git-dir={repository}", "config", "--list", "--name-only", "-z"]);
        if (settings.Problem is not null)
            return settings;
        var filters = settings.Text.Split('\0').Where(name => name.StartsWith("filter.", StringComparison.Ordinal)).Distinct().ToList();
        // git reads a setting of its command line up to the first '=': another one would be set, and the filter stay.
        if (filters.Exists(name => name.Contains('=', StringComparison.Ordinal)))
            return Failed("it belongs to another user, and its configuration names a filter with a '='");
        var off = filters.SelectMany(name =>
            new[] { "-c", name.EndsWith(".required", StringComparison.Ordinal) ? $"{name}=false" : $"{name}=" }
        );
        return await RunAsync([.. off, $"--git-dir={repository}", .. Status, "--ignore-submodules=dirty"]);
    }

    private async Task<GitOutput> RunAsync(IReadOnlyList<string> arguments, string? input = null)
    {
        if (Programs.Find("git", variable("PATH"), OperatingSystem.IsWindows()) is not { } git)
            return Failed("git is not on the PATH");
        var start = new ProgramStart(git, [.. Hardening, .. arguments])
        {
            WorkingDirectory = Path.GetDirectoryName(repository),
            Variables = Surroundings,
            TimeLimit = limit,
            WriteInputAsync = input is null
                ? null
                : async (stream, cancellationToken) => await stream.WriteAsync(Encoding.UTF8.GetBytes(input), cancellationToken),
        };
        try
        {
            var result = await Programs.RunAsync(start, CancellationToken.None);
            return result.ExitCode == 0 ? new GitOutput(result.Text) : Refused(result.Errors, result.ExitCode);
        }
        catch (TimeoutException)
        {
            var reason = FormattableString.Invariant($"git did not answer within {limit.TotalSeconds:0.#} seconds");
            return Failed(reason) with { IsTooSlow = true };
        }
        catch (Win32Exception exception)
        {
            return Failed($"'{git}' can't be started ({exception.Message})");
        }
        catch (IOException exception)
        {
            return Failed($"what git printed can't be read ({exception.Message})");
        }
    }

    private GitOutput Refused(string errors, int exitCode)
    {
        var said = errors.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        var reason = Array.Find(said, line => line.StartsWith("fatal:", StringComparison.Ordinal)) ?? said.FirstOrDefault();
        return Failed(reason is null ? FormattableString.Invariant($"git ended with {exitCode}") : $"git says '{reason}'");
    }

    private GitOutput Failed(string reason) =>
        new("", Problem: $"The commit of the checkout '{Text.Sanitize(repository)}' can't be read: {Text.Sanitize(reason)}");
}

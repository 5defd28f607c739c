using System.Collections.Concurrent;
using ImagePublish.Tasks.Shared;
using Microsoft.Build.Framework;

namespace ImagePublish.Tasks;

/// <summary>A commit, and its time in seconds since 1970.</summary>
internal sealed record GitCommit(string Revision, string Time);

/// <summary>The last commit that changed some paths, or why it is not known.</summary>
internal sealed record GitChange(GitCommit? Commit = null, string? Problem = null, bool IsCutOff = false);

/// <summary>What in the folder of a checkout is not as HEAD has it. Paths are relative to its root and have <c>/</c>.</summary>
internal sealed class WorkingTree(IReadOnlyList<string> changed, IReadOnlySet<string> ignored, string? problem)
{
    public IReadOnlyList<string> Changed => changed;

    public string? Problem => problem;

    public bool IsIgnored(string path)
    {
        for (var folder = path; folder.Length > 0; folder = folder[..Math.Max(folder.LastIndexOf('/'), 0)])
        {
            if (ignored.Contains(folder))
                return true;
        }

        return false;
    }
}

/// <summary>A checkout as the projects of a build ask about it: each question goes to git once.</summary>
internal sealed class GitHistory
{
    private static readonly TimeSpan HeadLimit = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private readonly GitCheckout checkout;
    private readonly Lazy<Task<GitAnswer>> head;
    private readonly Lazy<Task<WorkingTree>> workingTree;
    private readonly Lazy<Task<IReadOnlySet<string>>> boundary;
    private readonly ConcurrentDictionary<string, Lazy<Task<GitChange>>> changes = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Lazy<Task<GitOutput>>> changesSince = new(StringComparer.Ordinal);
    private volatile GitChange? tooSlow;
    private readonly ConcurrentDictionary<string, string?> nestedRoots = new(StringComparer.Ordinal);

    public GitHistory(string repository, Func<string, string?> variable)
        : this(repository, variable, Limit) { }

    internal GitHistory(string repository, Func<string, string?> variable, TimeSpan limit)
    {
        Root = Path.GetDirectoryName(repository)!;
        checkout = new GitCheckout(repository, variable, limit);
        head = new(() => new GitCheckout(repository, variable, HeadLimit).AskAsync());
        workingTree = new(ReadWorkingTreeAsync);
        boundary = new(ReadBoundaryAsync);
    }

    public string Root { get; }

    /// <summary>The history of the checkout that a folder is in; null where it is in none.</summary>
    public static GitHistory? Find(IBuildEngine4 engine, string folder) =>
        GitCheckout.Find(folder, TaskEnvironment.Variable) is { } repository
            ? BuildObjects.GetOrAdd(engine, repository, () => new GitHistory(repository, TaskEnvironment.Variable))
            : null;

    /// <summary>The path of a file or folder in the checkout; null where it is outside of it.</summary>
    /// <remarks>Of a submodule's content, its commit is all that the checkout around it knows.</remarks>
    public string? Relativize(string path)
    {
        if (path.Equals(Root, StringComparison.Ordinal))
            return "";
        if (!path.StartsWith(Root + Path.DirectorySeparatorChar, StringComparison.Ordinal))
            return null;
        return (FindNestedRoot(path) ?? path)[(Root.Length + 1)..].Replace('\\', '/');
    }

    public Task<GitAnswer> GetHeadAsync() => head.Value;

    public Task<WorkingTree> GetWorkingTreeAsync() => workingTree.Value;

    /// <summary>The last commit that changed one of these paths.</summary>
    /// <param name="paths">Relative to the root; <c>**/*.props</c> stands for all files of that name.</param>
    public Task<GitChange> FindLastChangeAsync(IReadOnlyCollection<string> paths)
    {
        var pathspecs = paths.Select(ToPathspec).Order(StringComparer.Ordinal).ToList();
        return changes.GetOrAdd(string.Join('\n', pathspecs), _ => new Lazy<Task<GitChange>>(() => AskForLastChangeAsync(pathspecs))).Value;
    }

    /// <summary>The paths that changed since HEAD left a commit, NUL-separated.</summary>
    public Task<GitOutput> ListChangesSinceAsync(string commit) =>
        changesSince.GetOrAdd(commit, _ => new Lazy<Task<GitOutput>>(() => checkout.ListChangesSinceAsync(commit))).Value;

    private string? FindNestedRoot(string path)
    {
        if (path.Length <= Root.Length)
            return null;
        return nestedRoots.GetOrAdd(path, folder =>
            FindNestedRoot(Path.GetDirectoryName(folder)!) ?? (GitCheckout.RepositoryIn(folder) is null ? null : folder)
        );
    }

    // File systems of Windows and macOS don't tell "Lib" and "lib" apart, and projects name it either way; git does.
    private static string ToPathspec(string path)
    {
        var magic = path.StartsWith("**/", StringComparison.Ordinal) ? "top,glob" : "top,literal";
        return OperatingSystem.IsLinux() ? $":({magic}){path}" : $":({magic},icase){path}";
    }

    private async Task<GitChange> AskForLastChangeAsync(IReadOnlyCollection<string> pathspecs)
    {
        // Each of many projects would wait as long.
        if (tooSlow is { } known)
            return known;
        var output = await checkout.FindLastCommitAsync(pathspecs);
        if (output.Problem is { } problem)
        {
            var failed = new GitChange(Problem: problem);
            return output.IsTooSlow ? tooSlow = failed : failed;
        }

        if (output.Text.Trim().Split(' ') is not [var time, { Length: > 0 } revision])
            return new GitChange();
        return new GitChange(new GitCommit(revision, time), IsCutOff: (await boundary.Value).Contains(revision));
    }

    private async Task<IReadOnlySet<string>> ReadBoundaryAsync()
    {
        var list = await checkout.FindShallowListAsync();
        var path = list.Text.Trim();
        try
        {
            return list.Problem is null && File.Exists(path)
                ? (await File.ReadAllLinesAsync(path)).ToHashSet(StringComparer.Ordinal)
                : new HashSet<string>();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return new HashSet<string>();
        }
    }

    private async Task<WorkingTree> ReadWorkingTreeAsync()
    {
        var output = await checkout.ReadStatusAsync();
        var entries = output.Text.Split('\0').Where(entry => entry.Length > 3).ToList();
        var changed = entries.Where(entry => !entry.StartsWith("!!", StringComparison.Ordinal)).Select(PathOf).ToList();
        var ignored = entries.Where(entry => entry.StartsWith("!!", StringComparison.Ordinal)).Select(PathOf);
        return new WorkingTree(changed, ignored.ToHashSet(StringComparer.Ordinal), output.Problem);
    }

    private static string PathOf(string entry) => entry[3..].TrimEnd('/');
}

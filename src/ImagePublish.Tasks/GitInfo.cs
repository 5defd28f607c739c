using System.Globalization;
using ImagePublish.Diagnostics;
using ImagePublish.Images;
using ImagePublish.Tasks.Shared;

namespace ImagePublish.Tasks;

/// <summary>The build's commit, branch and time. Read from properties first, then from CI's variables, then from git.</summary>
/// <param name="Time">The time that the user gives, SOURCE_DATE_EPOCH or the commit's time; null where none is known.</param>
internal sealed record GitInfo(string? Revision, SourceRef? Ref, string? Url, DateTimeOffset? Time)
{
    /// <summary>The commit that is checked out, which need not be the one that names the sources (<c>ImageRevision</c>).</summary>
    public required Lazy<string?> Head { get; init; }

    public DateTimeOffset Created => Time ?? DateTimeOffset.UnixEpoch;

    public static GitInfo Read(IImageInputs inputs)
    {
        var ci = new CiRef(TaskEnvironment.Variable);
        var git = new Lazy<GitAnswer>(() => AskGit(inputs));
        return new GitInfo(
            InputParser.Optional(inputs.Revision) ?? ci.Revision ?? git.Value.Revision,
            SourceRef.TryParse(InputParser.Optional(inputs.Branch))
                ?? (ci.Revision is null ? SourceRef.OfDecoration(git.Value.Decoration, "origin", "upstream") : ci.Read()),
            ci.Url,
            ReadTime(inputs, git)
        )
        {
            Head = new Lazy<string?>(() => ci.Revision ?? git.Value.Revision),
        };
    }

    public TagContext TagContext(IImageInputs inputs, string? runtimeIdentifier) =>
        new()
        {
            Version = InputParser.Optional(inputs.Version) ?? "1.0.0",
            // A deployment that nobody told of another revision takes the image by the commit that CI has built.
            Commit = inputs.IsRevisionDefault ? Head.Value ?? Revision : Revision,
            Head = Head,
            Ref = Ref,
            BaseBranch = new CiRef(TaskEnvironment.Variable).BaseBranch,
            Created = Time,
            Configuration = inputs.Configuration ?? "",
            RuntimeIdentifier = runtimeIdentifier,
            Suffix = inputs.TagSuffix,
        };

    private static DateTimeOffset? ReadTime(IImageInputs inputs, Lazy<GitAnswer> git)
    {
        if (InputParser.Optional(inputs.Created) is { } text)
        {
            return DateTimeOffset.TryParse(
                text,
                CultureInfo.InvariantCulture,
                DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal,
                out var instant
            )
                ? instant
                : throw InputParser.Invalid("ImageCreated", text, "expected an instant such as 2026-01-31T12:00:00Z");
        }

        if (Variable("SOURCE_DATE_EPOCH") is { } epoch)
            return Seconds(epoch) ?? throw InputParser.Invalid("SOURCE_DATE_EPOCH", epoch, "expected seconds since 1970");
        return Seconds(InputParser.Optional(inputs.RevisionTime) ?? git.Value.Time);
    }

    private static DateTimeOffset? Seconds(string? text) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) && seconds < 253402300800
            ? DateTimeOffset.FromUnixTimeSeconds(seconds)
            : null;

    private static string? Variable(params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            if (InputParser.Optional(TaskEnvironment.Variable(name)) is { } value)
                return value;
        }

        return null;
    }

    // The platforms of an image and the projects of a solution share a checkout: one process, and one warning, serves all of a build.
    private static GitAnswer AskGit(IImageInputs inputs)
    {
        if (GitHistory.Find(inputs.BuildEngine4, inputs.ResolvePath(".")) is not { } history)
            return new GitAnswer();
        var answer = history.GetHeadAsync().GetAwaiter().GetResult();
        if (answer.Problem is { } problem && BuildObjects.IsFirst(inputs.BuildEngine4, problem))
        {
            BuildSession.TaskLog.WarnOrFail(
                DiagnosticCodes.GitFailed,
                $"{problem}. Without the commit's time the image is dated 1970-01-01, so its digest differs from the one that is "
                    + $"made where git works. "
                    + "Fix what git reports, or set SOURCE_DATE_EPOCH or ImageCreated."
            );
        }

        return answer;
    }
}

using System.Diagnostics;
using System.Globalization;
using ImagePublish.Images;

namespace ImagePublish.Tasks;

/// <summary>What source control says of the build: commit, branch and time. Read from properties first, then from CI's variables, then from git.</summary>
/// <param name="Revision">The commit.</param>
/// <param name="Ref">The branch, tag or pull request.</param>
/// <param name="Url">Where people find the source.</param>
/// <param name="Created">The image's instant: what the user says, SOURCE_DATE_EPOCH, the commit's time, else 1970.</param>
internal sealed record SourceControl(string? Revision, SourceRef? Ref, string? Url, DateTimeOffset Created)
{
    private const int GitTimeoutMilliseconds = 5000;

    /// <summary>Reads it.</summary>
    /// <param name="inputs">What MSBuild handed over.</param>
    /// <returns>What is known.</returns>
    public static SourceControl Read(IImageInputs inputs)
    {
        var ci = new CiRef(Environment.GetEnvironmentVariable);
        var git = new Lazy<string[]>(() => AskGit(inputs.ResolvePath(".")));
        return new SourceControl(
            Lists.Optional(inputs.Revision) ?? ci.Revision ?? At(git.Value, 0),
            SourceRef.TryParse(Lists.Optional(inputs.Branch)) ?? (ci.Revision is null ? SourceRef.OfDecoration(At(git.Value, 2), "origin", "upstream") : ci.Read()),
            ci.Url,
            ReadCreated(inputs, git));
    }

    /// <summary>What tags are made of.</summary>
    /// <param name="inputs">What MSBuild handed over.</param>
    /// <param name="runtimeIdentifier">The runtime identifier; null for an image of several platforms.</param>
    /// <returns>The context.</returns>
    public TagContext TagContext(IImageInputs inputs, string? runtimeIdentifier) => new()
    {
        Version = Lists.Optional(inputs.Version) ?? "1.0.0",
        Commit = Revision,
        Ref = Ref,
        BaseBranch = new CiRef(Environment.GetEnvironmentVariable).BaseBranch,
        Created = Created,
        Configuration = inputs.Configuration ?? "",
        RuntimeIdentifier = runtimeIdentifier,
    };

    private static DateTimeOffset ReadCreated(IImageInputs inputs, Lazy<string[]> git)
    {
        if (Lists.Optional(inputs.Created) is { } text)
        {
            return DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var instant)
                ? instant
                : throw Lists.Invalid("ImageCreated", text, "expected an instant such as 2026-01-31T12:00:00Z");
        }

        if (Variable("SOURCE_DATE_EPOCH") is { } epoch)
            return Seconds(epoch) ?? throw Lists.Invalid("SOURCE_DATE_EPOCH", epoch, "expected seconds since 1970");
        return Seconds(At(git.Value, 1)) ?? DateTimeOffset.UnixEpoch;
    }

    private static DateTimeOffset? Seconds(string? text) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) && seconds < 253402300800 ? DateTimeOffset.FromUnixTimeSeconds(seconds) : null;

    private static string? Variable(params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            if (Lists.Optional(Environment.GetEnvironmentVariable(name)) is { } value)
                return value;
        }

        return null;
    }

    private static string? At(string[] lines, int index) => index < lines.Length ? Lists.Optional(lines[index]) : null;

    // One short process. Outside a checkout, or without git, nothing is known, and that is fine.
    private static string[] AskGit(string folder)
    {
        var start = new ProcessStartInfo("git", ["-C", folder, "log", "-1", "--no-show-signature", "--decorate=short", "--format=%H%n%ct%n%D"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
            CreateNoWindow = true,
        };
        try
        {
            using var git = Process.Start(start);
            if (git is null)
                return [];
            git.ErrorDataReceived += (_, _) => { };
            git.BeginErrorReadLine();
            var output = git.StandardOutput.ReadToEndAsync();
            if (git.WaitForExit(GitTimeoutMilliseconds))
                return git.ExitCode == 0 ? output.GetAwaiter().GetResult().Split('\n') : [];
            git.Kill(entireProcessTree: true);
            return [];
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return [];
        }
    }
}

using System.Text;
using ImagePublish.Common;
using ImagePublish.Reporting;

namespace ImagePublish.Tasks.Ci;

/// <summary>GitLab's variables of a build of several projects.</summary>
/// <remarks>
/// GitLab refuses a file of more than 5 KB, and the job fails with it; how many variables it takes depends on the plan
/// (<see href="https://docs.gitlab.com/administration/instance_limits/#limit-dotenv-file-size">limits</see>).
/// </remarks>
internal static class GitLabVariables
{
    private const int MaxBytes = 5000;
    private const int MaxCount = 50;
    private const string Published = "IMAGES_PUBLISHED=";

    /// <summary>Adds which images are new, and leaves out what GitLab would not take.</summary>
    /// <returns>A line that says what was left out; null for nothing.</returns>
    public static string? Write(string file, BuildSummary summary)
    {
        string? leftOut = null;
        SharedFile.Change(file, lines => Fit([.. lines.Where(line => !line.StartsWith(Published, StringComparison.Ordinal))]), log: null);
        return leftOut;

        List<string> Fit(List<string> lines)
        {
            lines.Add(Published + string.Join(' ', summary.ToDeploy.Select(project => Text.OneLine(project.Project))));
            if (IsTaken(lines))
                return lines;
            leftOut = Report("the variables of each project");
            lines.RemoveAll(IsOfOneProject);
            if (IsTaken(lines))
                return lines;
            leftOut = Report("IMAGES_PUBLISHED and the variables of each project");
            lines.RemoveAt(lines.Count - 1);
            return lines;
        }
    }

    private static string Report(string what) =>
        $"{what[..1].ToUpperInvariant()}{what[1..]} are not in image.env: GitLab would not take as many. ImageSummaryFile has all of it.";

    private static bool IsTaken(List<string> lines) =>
        lines.Count <= MaxCount && lines.Sum(line => Encoding.UTF8.GetByteCount(line) + 1) <= MaxBytes;

    private static bool IsOfOneProject(string line) =>
        line.StartsWith("IMAGE_REFERENCE_", StringComparison.Ordinal) || line.StartsWith("IMAGE_CHANGED_", StringComparison.Ordinal);
}

using ImagePublish.Reporting;
using ImagePublish.Tasks.Ci;
using ImagePublish.Tasks.Tests.Support;

namespace ImagePublish.Tasks.Tests.Ci;

/// <summary>GitLab fails a job whose variables are more than it takes: 5 KB, or 50 in the smallest plan.</summary>
public sealed class GitLabVariablesTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    private string[] Lines => File.ReadAllLines(folder["image.env"]);

    public void Dispose() => folder.Dispose();

    [Fact]
    [ReliabilityCase(
        "Projects",
        "GitLab, and more projects than it accepts variables for",
        "the variables of single projects are left out, then the list of names; one line says so; the job does not fail"
    )]
    public void WhatGitLabWouldNotTakeIsLeftOut()
    {
        Assert.Null(Write(projects: 5, nameLength: 10));
        Assert.Equal(2 + (5 * 2) + 1, Lines.Length);

        Assert.Equal(
            "The variables of each project are not in image.env: GitLab would not take as many. ImageSummaryFile has all of it.",
            Write(projects: 200, nameLength: 10)
        );
        Assert.Equal(["OTHER=1", "IMAGE_REFERENCE=x"], Lines[..2]);
        Assert.Equal(200, Assert.Single(Lines[2..]).Split(' ').Length);

        Assert.StartsWith("IMAGES_PUBLISHED and ", Write(projects: 400, nameLength: 20), StringComparison.Ordinal);
        Assert.Equal(["OTHER=1", "IMAGE_REFERENCE=x"], Lines);
    }

    private string? Write(int projects, int nameLength)
    {
        var names = Enumerable.Range(0, projects).Select(number => $"{number}".PadLeft(nameLength, 'P')).ToList();
        var own = names.SelectMany(name => new[] { $"IMAGE_REFERENCE_{name}=r", $"IMAGE_CHANGED_{name}=true" });
        File.WriteAllLines(folder["image.env"], ["OTHER=1", "IMAGE_REFERENCE=x", .. own, "IMAGES_PUBLISHED=old"]);
        var summaries = names.Select(name => new ProjectSummary(name, name, ProjectSummary.PublishedOutcome));
        return GitLabVariables.Write(folder["image.env"], new BuildSummary(1, 0, [.. summaries]));
    }
}

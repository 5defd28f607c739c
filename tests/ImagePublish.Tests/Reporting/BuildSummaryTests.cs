using System.Globalization;
using ImagePublish.Reporting;

namespace ImagePublish.Tests.Reporting;

/// <summary>What is said of a build of several projects.</summary>
public sealed class BuildSummaryTests
{
    private const string Digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    [Fact]
    public void TheFirstLineCountsAndTheOthersName()
    {
        var summary = Summarize([
            Begun("Shop"),
            Done("Shop", "published", 3_100_000),
            .. Many("Same", 199, "unchanged"),
            Begun("Old"),
            Failed("Pay", "IMG4003"),
        ]);

        Assert.Equal(
            [
                "Images: 1 published, 199 unchanged, 2 failed, 12.3 s, 3.1 MB uploaded, 200 requests",
                "  published: Shop",
                "  failed: Old (not built), Pay (IMG4003)",
            ],
            summary.Lines()
        );
    }

    [Fact]
    public void WhatIsInTheLocalStoreIsWrittenAndNotUploaded()
    {
        Assert.Contains(", 3.0 MB written, ", Summarize([Local("Shop"), Local("Pay")]).Lines().First(), StringComparison.Ordinal);
        Assert.Contains(
            ", 2.0 MB uploaded, 1.5 MB written, ",
            Summarize([Local("Shop"), Done("Pay", "published", 2_000_000)]).Lines().First(),
            StringComparison.Ordinal
        );

        static BuildRecord Local(string name)
        {
            var record = Done(name, "published", 1_500_000);
            return record with { Summary = record.Summary! with { Images = [record.Summary.Images[0] with { Registry = null }] } };
        }
    }

    [Fact]
    public void RequestsOfAllProjectsAreCountedByHost()
    {
        var platform = Begun("Shop") with
        {
            Requests = new Dictionary<string, int> { ["example.test"] = 5, ["auth.test"] = 1 },
        };

        var summary = Summarize([Begun("Shop"), platform, platform, Done("Shop", "published", 1), Done("Same", "unchanged", 0)]);

        Assert.Equal(["auth.test 2", "example.test 12"], summary.Requests.Select(host => $"{host.Key} {host.Value}"));
        Assert.Equal([1, 13], summary.Projects.Select(project => project.Requests));
    }

    [Fact]
    public void ManyNamesAreCutShort() =>
        Assert.EndsWith(", New-019 and 180 more", Summarize(Many("New", 200, "published")).Lines().Last(), StringComparison.Ordinal);

    [Fact]
    public void APlatformThatFailsIsTheProjectsFailureAndCountedOnce()
    {
        var summary = Summarize([Begun("Shop"), Failed("Shop", "IMG2001"), Failed("Shop", "IMG2001"), Begun("Shop")]);

        var failed = Assert.Single(summary.Projects);
        Assert.Equal(("failed", "IMG2001"), (failed.Outcome, failed.Code));
    }

    [Fact]
    public void TwoImagesOfAProjectAreTwo() =>
        Assert.Equal(2, Summarize([Begun("Shop"), Done("Shop", "published", 1), Done("Shop", "unchanged", 0)]).Projects.Count);

    [Fact]
    public void TheTableHasWhatFailedFirstAndNothingInItIsMarkdown()
    {
        var markdown = Summarize([Done("Sh`|op", "published", 1000), Done("Same", "unchanged", 0), Failed("Pay", "IMG4003")]).Markdown();

        Assert.Equal(
            $"""
            ### Images: 1 published, 1 unchanged, 1 failed

            | Project | This publish | Image |
            |---|---|---|
            | `Pay` | failed: IMG4003 |  |
            | `Sh\u0060\u007cop` | 1.0 kB uploaded | `example.test/app@{Digest}` |
            | `Same` | unchanged | `example.test/app@{Digest}` |


            """,
            markdown
        );
    }

    [Fact]
    public void WhatThereIsToDeployIsOneLineOfJsonThatNoAgentTakesForACommand() =>
        Assert.Equal(
            $$"""[{"project":"#\u0023[group]","image":"example.test/app@{{Digest}}"}]""",
            Summarize([Done("##[group]", "published", 1), Done("Same", "unchanged", 0)]).ToDeployJson()
        );

    [Fact]
    public void ARecordSurvivesItsFile()
    {
        var record = Done("Shop", "published", 7) with { Markdown = "# x", SummaryFile = "/out.json" };

        var read = BuildRecord.Parse(record.ToJson());

        Assert.Equal((record.Markdown, record.SummaryFile, record.File), (read.Markdown, read.SummaryFile, read.File));
        Assert.Equal(7, read.Summary!.Images[0].UploadedBytes);
    }

    private static BuildSummary Summarize(IReadOnlyCollection<BuildRecord> records) =>
        BuildSummary.Create(records, TimeSpan.FromSeconds(12.34));

    private static BuildRecord[] Many(string name, int count, string outcome) =>
        [.. Enumerable.Range(0, count).Select(at => Done($"{name}-{at.ToString("000", CultureInfo.InvariantCulture)}", outcome, 0))];

    private static BuildRecord Begun(string name) => new(name, $"/{name}.csproj", null);

    private static BuildRecord Failed(string name, string code) =>
        Begun(name) with
        {
            Summary = new ProjectSummary(name, $"/{name}.csproj", "failed") { Code = code },
        };

    private static BuildRecord Done(string name, string outcome, long uploaded) =>
        Begun(name) with
        {
            Requests = new Dictionary<string, int> { ["example.test"] = 1 },
            Summary = new ProjectSummary(name, $"/{name}.csproj", outcome)
            {
                Digest = Digest,
                Images = [new DeliveryDocument($"example.test/app@{Digest}", "example.test", "app", ["1.0"], uploaded, 0, 0)],
            },
        };
}

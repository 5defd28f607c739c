using System.Text;
using ImagePublish.Oci;
using ImagePublish.Publishing.Explain;
using ImagePublish.Reporting;
using ImagePublish.Requests;
using ImagePublish.Tests.Registries;
using NJsonSchema;

namespace ImagePublish.Tests.Reporting;

/// <summary>Real results are what the published schemas say.</summary>
public sealed class SchemaTests
{
    private const string Result = "publish-result.v1";

    private const string Plan = "plan.v1";

    [Fact]
    public async Task ResultsOfImagesAndIndexesFollowTheSchema()
    {
        await using var bench = await PublishingBench.StartAsync();
        var first = await bench.PublishAsync(bench.Request("1.0", "latest"));
        var unchanged = await bench.PublishAsync(bench.Request("1.0", "latest"));
        var local = await bench.PublishAsync(bench.Request("1.0") with { Destinations = [] });
        var index = await bench.PublishAsync(
            new IndexRequest
            {
                Images = [first.Image.IndexEntry],
                Destinations = [bench.Named("acme/shop")],
                LocalName = "acme/shop",
                Tags = [Tag.Parse("2.0")],
            }
        );

        await FollowAsync(
            Result,
            PublishJson.Write(first),
            PublishJson.Write(unchanged),
            PublishJson.Write(local),
            PublishJson.Write(index, []),
            PublishJson.Write(index, [PublishJson.Write(first)])
        );
        Assert.True(unchanged.IsUnchanged);
    }

    [Fact]
    public async Task SummariesFollowTheSchema()
    {
        await using var bench = await PublishingBench.StartAsync();
        var result = await bench.PublishAsync(bench.Request("1.0"));
        var unchanged = await bench.PublishAsync(bench.Request("1.0"));
        var local = await bench.PublishAsync(bench.Request("1.0") with { Destinations = [] });
        ProjectSummary[] projects =
        [
            ProjectSummary.Create("Shop", "/Shop.csproj", result),
            ProjectSummary.Create("Same", "/Same.csproj", unchanged),
            ProjectSummary.Create("Local", "/Local.csproj", local),
            new("Failed", "/Failed.csproj", ProjectSummary.FailedOutcome) { Code = "IMG4001" },
            new("NotBuilt", "/NotBuilt.csproj", ProjectSummary.FailedOutcome),
        ];

        await FollowAsync(
            "build-summary.v1",
            BuildSummary.Create([.. projects.Select(Record)], TimeSpan.FromSeconds(1)).ToJson(),
            BuildSummary.Create([], TimeSpan.Zero).ToJson()
        );
    }

    private static BuildRecord Record(ProjectSummary project) =>
        new(project.Project, project.File, project) { Requests = new Dictionary<string, int> { ["example.test:5000"] = 2 } };

    [Fact]
    public async Task PlansFollowTheSchema()
    {
        await using var bench = await PublishingBench.StartAsync();
        var request = bench.Request("1.0") with { ComparedTags = [Tag.Parse("1.0")] };
        await using var registry = RegistryBench.For(bench.Server);

        var first = await new ImagePlanner(bench.Context(registry.Client)).PlanAsync(request, PublishingBench.Cancel);
        await bench.Publisher(registry.Client).PublishAsync(request, PublishingBench.Cancel);
        bench.Write("App.dll", "app 2");
        bench.Write("New.dll", "new");
        var second = await new ImagePlanner(bench.Context(registry.Client)).PlanAsync(
            request with
            {
                Spec = request.Spec with { User = "app" },
            },
            PublishingBench.Cancel
        );

        Assert.NotNull(second.Changes);
        await FollowAsync(Plan, PlanJson.Write(first), PlanJson.Write(second));
    }

    [Fact]
    public async Task TheSchemaRefusesWhatItDoesNotKnow()
    {
        var schema = await LoadAsync(Result);

        Assert.NotEmpty(
            schema.Validate("""{ "schemaVersion": 2, "digest": "sha256:1", "mediaType": "x", "images": [], "unchanged": false }""")
        );
    }

    private static async Task FollowAsync(string schema, params IEnumerable<byte[]> documents)
    {
        var known = await LoadAsync(schema);
        Assert.All(documents, json => Assert.Empty(known.Validate(Encoding.UTF8.GetString(json))));
    }

    private static Task<JsonSchema> LoadAsync(string name) =>
        JsonSchema.FromFileAsync(
            Path.Combine(RepositoryRoot.Path, "docs", "schemas", $"{name}.schema.json"),
            TestContext.Current.CancellationToken
        );
}

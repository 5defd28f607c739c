using System.Text.Json;
using ImagePublish.Destinations;
using ImagePublish.Images;
using ImagePublish.Oci;
using ImagePublish.Publishing;
using ImagePublish.Publishing.Explain;
using ImagePublish.Reporting;
using ImagePublish.Requests;
using ImagePublish.Testing;

namespace ImagePublish.Tests.Publishing;

/// <summary>A plan tells what the publish that follows it reports, and writes nothing.</summary>
public sealed class PlanTests
{
    private static readonly RegistryStep[] Writing =
    [
        RegistryStep.MountPost,
        RegistryStep.UploadPost,
        RegistryStep.UploadPut,
        RegistryStep.UploadPatch,
        RegistryStep.ManifestPut,
    ];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("here", true)]
    [InlineData("here", false)]
    [InlineData("fresh", true)]
    public async Task ThePublishReportsWhatThePlanSaid(string machine, bool isElsewhere)
    {
        await using var bench = await PublishingBench.StartAsync();
        var request = bench.Request("1.0", "latest");
        if (!isElsewhere)
            request = request with { Destinations = [] };
        await PlanAndPublishAsync(bench, request, "here");
        bench.Write("App.dll", "app 2, which is longer");
        bench.Write("wwwroot/new.css", "a {}");

        await PlanAndPublishAsync(bench, request with { Tags = [Tag.Parse("2.0"), Tag.Parse("latest")] }, machine);
        var again = await PlanAndPublishAsync(bench, request with { Tags = [Tag.Parse("2.0"), Tag.Parse("latest")] }, machine);

        Assert.All(again.Destinations[0].Tags, tag => Assert.False(tag.Moves));
        Assert.All(again.Destinations[0].Blobs, blob => Assert.Equal(TransferKind.Reused, blob.Transfer.Kind));
    }

    [Fact]
    public async Task APlanWritesNothing()
    {
        await using var bench = await PublishingBench.StartAsync();
        await bench.PublishAsync(bench.Request("1.0"));
        bench.Write("App.dll", "app 2");

        var plan = await bench.PlanAsync(bench.Request("1.0"), machine: "fresh");

        Assert.Equal(0, bench.Moved(Writing));
        Assert.Equal(TransferKind.Uploaded, plan.Destinations[0].Blobs.Single(blob => blob.Name == "app").Transfer.Kind);
        Assert.Equal(TransferKind.Reused, plan.Destinations[0].Blobs.First(blob => blob.Name == "base").Transfer.Kind);
        Assert.Empty((await bench.Store("fresh").PruneAsync(new() { Unreferenced = true }, Cancel)).Blobs);
        var tag = Assert.Single(plan.Destinations[0].Tags);
        Assert.Equal(bench.TagDigest("acme/shop", "1.0"), tag.Before!.Value);
        Assert.Equal(plan.Result.Image.Digest, tag.After);
    }

    [Fact]
    public async Task EveryFileAndSettingThatChangesIsNamed()
    {
        await using var bench = await PublishingBench.StartAsync();
        bench.Write("Old.dll", "gone soon");
        var request = bench.Request("1.0", "latest");
        await bench.PublishAsync(request);
        bench.Write("App.dll", "app 2, longer");
        bench.Write("New.dll", "new");
        File.Delete(Path.Combine(bench.PublishFolder, "Old.dll"));

        var plan = await bench.PlanAsync(
            request with
            {
                Tags = [Tag.Parse("2.0"), Tag.Parse("latest")],
                Spec = request.Spec with { User = "app", EnvironmentVariables = [new("MODE", "b")] },
            }
        );

        var changes = plan.Changes!;
        Assert.EndsWith("acme/shop:latest", changes.Against, StringComparison.Ordinal);
        var app = changes.Layers.Single(layer => layer.Kind == ChangeKind.Changed);
        Assert.Equal("app", app.Name);
        Assert.Equal(
            [
                new FileChange("app/App.dll", ChangeKind.Changed, 5, 13),
                new FileChange("app/New.dll", ChangeKind.Added, null, 3),
                new FileChange("app/Old.dll", ChangeKind.Removed, 9, null),
            ],
            app.Files
        );
        Assert.Contains(new ConfigChange("env MODE", null, "b"), changes.Config);
        Assert.Contains(changes.Config, change => change is { Name: "user", After: "app" });
        Assert.Equal(2, changes.Config.Count);
        var text = string.Join('\n', PlanTables.Lines("Shop", plan));
        Assert.Contains("~ /app/App.dll  5 B -> 13 B", text, StringComparison.Ordinal);
        Assert.Contains("+ env MODE: b", text, StringComparison.Ordinal);
        using var json = JsonDocument.Parse(PlanJson.Write(plan));
        Assert.Equal(
            "removed",
            json.RootElement.GetProperty("changes")
                .GetProperty("layers")
                .EnumerateArray()
                .Single(layer => layer.GetProperty("name").GetString() == "app")
                .GetProperty("files")[2]
                .GetProperty("change")
                .GetString()
        );
    }

    [Fact]
    public async Task ABaseThatMovedIsTold()
    {
        await using var bench = await PublishingBench.StartAsync();
        var request = bench.Request("1.0") with { Project = new ProjectInfo() };
        await bench.PublishAsync(request);
        var before = bench.TagDigest("dotnet/aspnet", "10.0")!;
        Assert.False((await bench.PlanAsync(request)).Base.HasDrifted);
        bench.Server.SeedImage("dotnet/aspnet", "10.0", [Seeding.LayerOf(("etc/base", "patched"))], Seeding.ConfigOf("amd64"));

        var plan = await PlanAndPublishAsync(bench, request, "here");

        Assert.True(plan.Base.HasDrifted);
        Assert.Equal(before, plan.Base.Before!.Value);
        Assert.Equal(bench.TagDigest("dotnet/aspnet", "10.0"), plan.Base.Digest!.Value);
        Assert.Contains(PlanTables.Lines("Shop", plan), line => line.Contains("moved:", StringComparison.Ordinal));
        Assert.All(plan.Changes!.Layers, layer => Assert.Equal(ChangeKind.Same, layer.Kind));
    }

    [Fact]
    public async Task AnIndexIsPlannedOfImagesThatAreNotThereYet()
    {
        await using var bench = await PublishingBench.StartAsync();
        var amd64 = bench.Request() with { Tags = [] };
        var arm64 = amd64 with { Spec = amd64.Spec with { Platform = new Platform("linux", "arm64") } };
        Descriptor[] planned =
        [
            (await bench.PlanAsync(amd64)).Result.Image.IndexEntry,
            (await bench.PlanAsync(arm64)).Result.Image.IndexEntry,
        ];
        IndexRequest Request(Descriptor[] images) =>
            new()
            {
                Images = images,
                Destinations = amd64.Destinations,
                LocalName = "acme/shop",
                Tags = [Tag.Parse("1.0")],
            };

        var plan = await bench.PlanAsync(Request(planned));

        Assert.Equal(0, bench.Moved(Writing));
        Assert.True(Assert.Single(plan.Destinations[0].Tags).Moves);
        Descriptor[] published = [(await bench.PublishAsync(amd64)).Image.IndexEntry, (await bench.PublishAsync(arm64)).Image.IndexEntry];
        Assert.Equal(plan.Result.Index.Descriptor, (await bench.PublishAsync(Request(published))).Index.Descriptor);
    }

    private static async Task<ImagePlan> PlanAndPublishAsync(PublishingBench bench, PublishRequest request, string machine)
    {
        var plan = await bench.PlanAsync(request, machine);
        Assert.Equal(0, bench.Moved(Writing));
        var result = await bench.PublishAsync(request, machine);
        Assert.Equal(plan.Result.Image.Digest, result.Image.Digest);
        Assert.Equal(plan.Result.IsUnchanged, result.IsUnchanged);
        Assert.Equal(
            result.Deliveries.Select(delivery => (delivery.Name, delivery.Transfer)),
            plan.Destinations.Select(place => (place.Delivery.Name, place.Delivery.Transfer))
        );
        return plan;
    }
}

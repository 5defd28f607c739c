using System.Text.Json;
using ImagePublish.Oci;
using ImagePublish.Publishing;
using ImagePublish.Reporting;
using ImagePublish.Requests;
using ImagePublish.Testing;

namespace ImagePublish.Tests.Reporting;

/// <summary>What results tell of each blob: how it got there, from where, and that it adds up.</summary>
public sealed class BlobFateTests
{
    [Fact]
    public async Task LayersOfABaseInTheSameRegistryAreMountedFromIt()
    {
        await using var bench = await PublishingBench.StartAsync();

        var result = Read(PublishJson.Write(await bench.PublishAsync(bench.Request("1.0"))));

        var place = Place(result);
        Assert.Equal(["base", "packages", "static", "app", "config"], Texts(place, "name").Distinct());
        Assert.All(Blobs(place), blob => Assert.Equal(Text(blob, "name") == "base" ? "mounted" : "uploaded", Text(blob, "action")));
        Assert.All(Blobs(place, "mounted"), blob => Assert.Equal($"{bench.Server.Host}/dotnet/aspnet", Text(blob, "from")));
        Assert.Equal(
            result.GetProperty("layers").EnumerateArray().Select(layer => (Text(layer, "name"), Text(layer, "digest"))),
            Blobs(place).SkipLast(1).Select(blob => (Text(blob, "name"), Text(blob, "digest")))
        );
        AddsUp(place);
    }

    [Fact]
    public async Task LayersOfABaseInAnotherRegistryAreStreamedFromIt()
    {
        await using var bench = await PublishingBench.StartAsync();
        await using var other = await TestRegistry.StartAsync(cancellationToken: PublishingBench.Cancel);
        var request = bench.Request("1.0") with { Destinations = [Repository.Create(Registry.Parse(other.Host), "acme/shop")] };

        var plan = Read(PlanJson.Write(await bench.PlanAsync(request)));
        var result = Read(PublishJson.Write(await bench.PublishAsync(request)));
        var again = Read(PublishJson.Write(await bench.PublishAsync(request)));

        Assert.NotEmpty(Blobs(Place(result), "streamed"));
        Assert.All(Blobs(Place(result), "streamed"), blob =>
            Assert.Equal(("base", $"{bench.Server.Host}/dotnet/aspnet"), (Text(blob, "name"), Text(blob, "from")))
        );
        Assert.Equal(Blobs(Place(plan)).Select(blob => blob.GetRawText()), Blobs(Place(result)).Select(blob => blob.GetRawText()));
        Assert.Equal(plan.GetProperty("layers").GetRawText(), result.GetProperty("layers").GetRawText());
        Assert.Equal(Texts(Place(result), "name"), Texts(Place(again), "name"));
        Assert.All(Blobs(Place(again)), blob => Assert.Equal("reused", Text(blob, "action")));
        Assert.All([plan, result, again], one => AddsUp(Place(one)));
    }

    [Fact]
    public async Task TheLocalStoreTellsWhatWasWrittenAndFromWhere()
    {
        await using var bench = await PublishingBench.StartAsync();
        var request = bench.Request("1.0") with { Destinations = [] };

        var first = Place(Read(PublishJson.Write(await bench.PublishAsync(request))));
        bench.Write("App.dll", "app 2");
        var second = Place(Read(PublishJson.Write(await bench.PublishAsync(request))));

        Assert.Equal(
            ["streamed"],
            Blobs(first).Where(blob => Text(blob, "name") == "base").Select(blob => Text(blob, "action")).Distinct()
        );
        Assert.Equal(["app", "config"], Blobs(second, "uploaded").Select(blob => Text(blob, "name")));
        Assert.All([first, second], AddsUp);
    }

    [Fact]
    public async Task AnIndexTellsTheLayersOfItsImages()
    {
        await using var bench = await PublishingBench.StartAsync();
        var one = await bench.PublishAsync(bench.Request());
        var two = await bench.PublishAsync(
            bench.Request() with
            {
                Destinations = [bench.Named("acme/arm")],
                Spec = bench.Request().Spec with { Platform = new Platform("linux", "arm64") },
            }
        );
        var request = new IndexRequest
        {
            Images = [one.Image.IndexEntry],
            From = [bench.Named("acme/arm").ReferenceTo(two.Image.Digest)],
            Destinations = [bench.Named("acme/shop")],
            LocalName = "acme/shop",
            Tags = [Tag.Parse("2.0")],
        };
        var part = PublishJson.Write(one);

        var index = Read(PublishJson.Write(await bench.PublishAsync(request), [part]));

        var manifests = index.GetProperty("manifests").EnumerateArray().ToList();
        Assert.Equal([one.Image.Size, two.Image.Size], manifests.Select(manifest => manifest.GetProperty("size").GetInt64()));
        Assert.Equal(Blobs(Place(Read(part))).Select(Flat), Blobs(Place(manifests[0])).Select(Flat));
        Assert.Equal(
            two.Image.Layers.Select(layer => (layer.Descriptor.Digest.Value, layer.DiffId.Value)),
            manifests[1].GetProperty("layers").EnumerateArray().Select(layer => (Text(layer, "digest"), Text(layer, "diffId")))
        );
        Assert.Contains(Blobs(Place(manifests[1]), "mounted"), blob => Text(blob, "from") == $"{bench.Server.Host}/acme/arm");
    }

    private static string Flat(JsonElement json) => string.Concat(json.GetRawText().Where(letter => !char.IsWhiteSpace(letter)));

    private static void AddsUp(JsonElement place)
    {
        Assert.Equal(place.GetProperty("uploadedBytes").GetInt64(), Blobs(place).Sum(blob => blob.GetProperty("uploadedBytes").GetInt64()));
        Assert.Equal(place.GetProperty("mountedBytes").GetInt64(), Sum("mounted"));
        Assert.Equal(place.GetProperty("reusedBytes").GetInt64(), Sum("reused"));

        long Sum(string action) => Blobs(place, action).Sum(blob => blob.GetProperty("size").GetInt64());
    }

    private static JsonElement Read(byte[] json)
    {
        using var document = JsonDocument.Parse(json);
        return document.RootElement.Clone();
    }

    private static JsonElement Place(JsonElement result) => result.GetProperty("images")[0];

    private static IEnumerable<JsonElement> Blobs(JsonElement place, string? action = null) =>
        place.GetProperty("blobs").EnumerateArray().Where(blob => action is null || Text(blob, "action") == action);

    private static List<string> Texts(JsonElement place, string name) => [.. Blobs(place).Select(blob => Text(blob, name))];

    private static string Text(JsonElement element, string name) => element.GetProperty(name).GetString()!;
}

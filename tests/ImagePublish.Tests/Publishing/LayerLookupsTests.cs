using ImagePublish.Bases;
using ImagePublish.Common;
using ImagePublish.LayerReuse;
using ImagePublish.Layers;
using ImagePublish.Oci;
using ImagePublish.Registries;
using ImagePublish.Storage;

namespace ImagePublish.Tests.Publishing;

/// <summary>Layers that are looked up side by side: none waits for another.</summary>
public sealed class LayerLookupsTests
{
    private static readonly LayerCompression Gzip = new(Compression.Gzip, null);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task ALayerThatHasToBeBuiltIsToldWhileAnotherIsStillRead()
    {
        await using var bench = await PublishingBench.StartAsync();
        await using var connections = RegistryBench.For(bench.Server);
        using var gate = new ManualResetEventSlim();
        await using var tasks = new TaskScope(Cancel);
        var producer = Producer(bench, connections.Client, tasks);
        var lookups = new LayerLookups([
            Task.FromResult(new LayerCandidate(Content("below", new FileInMemory(new byte[] { 2 })), null, null, Known: null)),
            LookUp("slow", new GatedContent(gate)),
            LookUp("quick", new FileInMemory(new byte[] { 1 })),
        ]);

        var found = new List<string>();
        Assert.False(await lookups.AreKnownAsync());
        await foreach (var (place, candidate) in lookups.AsFoundAsync())
        {
            found.Add($"{place} {candidate.Content.Name}");
            if (found.Count == 2)
                gate.Set();
        }

        Assert.Equal(["0 below", "1 slow", "2 quick"], found.Order(StringComparer.Ordinal));
        Assert.Equal("1 slow", found[^1]);
        Assert.Equal(["below", "slow", "quick"], (await lookups.AllAsync()).Select(candidate => candidate.Content.Name));

        Task<LayerCandidate> LookUp(string name, FileContent content) =>
            tasks.Run(token => producer.LookUpAsync(Content(name, content), token));
    }

    private static LayerProducer Producer(PublishingBench bench, RegistryClient client, TaskScope tasks)
    {
        var store = bench.Store();
        var request = bench.Request("1.0");
        var cache = new LayerCache(store);
        var sources = new LayerSources
        {
            Files = new PublishedFiles(request, tags: null, Cancel),
            Store = store,
            Cache = cache,
            Registries = new RegistryLayerCache(
                client,
                new RegistryDocuments(client, store),
                CacheSources.Create(request, areEmpty: false),
                bench.Log,
                tasks
            ),
        };
        return new LayerProducer(sources, new StoredLayers(store, cache, bench.Log), Gzip, bench.Log);
    }

    private static LayerInput Content(string name, FileContent content) =>
        LayerInput.Create(name, [new LayerEntry($"app/{name}", LayerEntryKind.File) { Content = content }]);

    /// <summary>A byte that can be read once the gate is open.</summary>
    private sealed record GatedContent(ManualResetEventSlim Gate) : FileContent(1)
    {
        public override string Source => "gated content";

        public override Stream Open()
        {
            Gate.Wait(Cancel);
            return new MemoryStream([3]);
        }
    }
}

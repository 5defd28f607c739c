using ImagePublish.Bases;
using ImagePublish.Common;
using ImagePublish.Images;
using ImagePublish.LayerReuse;
using ImagePublish.Layers;
using ImagePublish.Oci;
using ImagePublish.Publishing;
using ImagePublish.Storage;
using ImagePublish.Testing;
using ImagePublish.Tests.Layers;

namespace ImagePublish.Tests.Publishing;

/// <summary>Services that several processes of a build publish at the same time: what they share is built once and sent once.</summary>
public sealed class SharedWorkTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task WhatTwoProcessesPushAtTheSameTimeIsSentOnce()
    {
        await using var bench = await PublishingBench.StartAsync();
        await using var one = RegistryBench.For(bench.Server);
        await using var other = RegistryBench.For(bench.Server);
        // Long enough for the other to come by.
        bench.Server.Faults.Add(
            new Fault(RegistryStep.UploadPut, FaultAction.Delay(TimeSpan.FromMilliseconds(200))) { Times = Fault.Always }
        );
        bench.Server.Requests.Clear();

        var results = await Task.WhenAll(
            bench.Publisher(one.Client).PublishAsync(bench.Request("1.0"), Cancel),
            bench
                .Publisher(other.Client)
                .PublishAsync(bench.Request("1.0") with { Destinations = [bench.Named("acme/other")], LocalName = "acme/other" }, Cancel)
        );

        Assert.Equal(results[0].Image.Digest, results[1].Image.Digest);
        var sent = bench
            .Server.Requests.Of(RegistryStep.UploadPut)
            .Select(request => request.Query[request.Query.IndexOf("digest=", StringComparison.Ordinal)..])
            .ToList();
        Assert.Equal(sent.Distinct().Order(StringComparer.Ordinal), sent.Order(StringComparer.Ordinal));
        Assert.All(results[0].Image.Layers, layer =>
            Assert.All(["acme/shop", "acme/other"], name => Assert.True(bench.Server.Content.HasBlob(name, layer.Descriptor.Digest.Value)))
        );
        Assert.Equal(
            ["app", "packages", "static"],
            bench
                .Log.Details.Where(line => line.Contains("was built", StringComparison.Ordinal))
                .Select(line => line.Split('\'')[1])
                .Order(StringComparer.Ordinal)
        );
    }

    [Fact]
    public async Task ALayerThatAnotherProcessBuildsIsTakenFromIt()
    {
        await using var bench = await PublishingBench.StartAsync();
        await using var connections = RegistryBench.For(bench.Server);
        var request = bench.Request("1.0");
        var store = bench.Store();
        var cache = new LayerCache(store);
        var tags = (await RememberedTags.OpenAsync(store, bench.PublishFolder, Cancel))!;
        var content = LayerInput.Create("packages", LayerTesting.ReadFolder(bench.PublishFolder, request.EntryDefaults, request.Items));
        var key = (await LayerInputKey.ComputeAsync(content, tags.Fingerprints, Cancel))!;
        await using var tasks = new TaskScope(Cancel);
        var sources = new LayerSources
        {
            Files = new PublishedFiles(request, tags, Cancel),
            Store = store,
            Cache = cache,
            Registries = new RegistryLayerCache(
                connections.Client,
                new RegistryDocuments(connections.Client, store),
                CacheSources.Create(request, areEmpty: true),
                bench.Log,
                tasks
            ),
        };
        var producer = new LayerProducer(sources, new StoredLayers(store, cache, bench.Log), request.Compression, bench.Log);
        Task<NamedLayer> waiting;
        Descriptor built;
        using (await cache.LockLayerAsync(key, request.Compression.Key, "packages", Cancel))
        {
            waiting = producer.ProduceAsync(new LayerCandidate(content, key, DiffId: null, Known: null), ImageFormat.Oci, Cancel);
            built = await BuildAsync(bench.Store(), content, key, request.Compression);
            Assert.False(waiting.IsCompleted);
        }

        var layer = (await waiting).Layer;

        Assert.Equal(built, layer.Descriptor);
        Assert.False(layer.IsNew);
        Assert.DoesNotContain("was built", bench.Log.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task WhoWaitedInVainBuildsItself()
    {
        await using var bench = await PublishingBench.StartAsync();
        await using var connections = RegistryBench.For(bench.Server);
        var request = bench.Request("1.0") with { Base = new ScratchImage() };
        var cache = new LayerCache(bench.Store());
        var tags = new FileFingerprints(cache.DeriveContentTagKey(FileFingerprints.KeySize));
        var layers = LayerLayout.Create(
            LayerTesting.ReadFolder(bench.PublishFolder, request.EntryDefaults, request.Items),
            request.Items,
            LayeringMode.Auto
        );
        Task<PublishResult> publishing;
        using (
            await cache.LockLayerAsync(
                (await LayerInputKey.ComputeAsync(layers[0], tags, Cancel))!,
                request.Compression.Key,
                layers[0].Name,
                Cancel
            )
        )
            publishing = bench.Publisher(connections.Client).PublishAsync(request, Cancel);

        var result = await publishing;

        Assert.Equal(result.Image.Digest.Value, bench.TagDigest("acme/shop", "1.0"));
    }

    private static async Task<Descriptor> BuildAsync(ImageStore store, LayerInput content, Digest key, LayerCompression compression)
    {
        var cache = new LayerCache(store);
        await using var writer = store.CreateDigestedBlob();
        var made = await LayerBuilder.BuildAsync(content, compression, ImageFormat.Oci, writer, Cancel);
        await writer.CommitAsync(made.Descriptor, Cancel);
        await cache.RememberAsync(made.DiffId, compression.Key, made.Descriptor, Cancel);
        await cache.RememberDiffIdAsync(key, made.DiffId, Cancel);
        return made.Descriptor;
    }
}

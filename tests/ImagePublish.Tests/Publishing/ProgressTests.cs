using ImagePublish.Testing;

namespace ImagePublish.Tests.Publishing;

/// <summary>What the core reports of its progress: every byte once, and an end for everything that was started.</summary>
public sealed class ProgressTests
{
    [Fact]
    public async Task EveryLayerIsToldFromItsFilesToItsBlob()
    {
        await using var bench = await PublishingBench.StartAsync();
        await using var connections = RegistryBench.For(bench.Server);
        bench.Write("App.dll", new string('x', 100_000));

        var result = await bench.Publisher(connections.Client).PublishAsync(bench.Request("1.0"), TestContext.Current.CancellationToken);

        var built = bench.Log.Progress;
        Assert.Equal(built.Count(step => step.What == "building"), built.Count(step => step.What == "built"));
        Assert.InRange(built.Where(step => step.What == "compressed").Sum(step => step.Amount), 100_000, 200_000);
        Assert.All(result.Image.Layers, layer =>
            Assert.Single(built, step =>
                step.What.StartsWith("named ", StringComparison.Ordinal) && step.Subject == layer.Descriptor.Digest.Value
            )
        );
        EveryByteIsToldOnce(connections.Log);
    }

    [Fact]
    public async Task ABlobThatIsTriedAgainIsToldAndItsBytesCountOnce()
    {
        await using var bench = await RegistryBench.StartAsync();
        var blob = RegistryBench.Layer(200_000);
        var digest = blob.Descriptor.Digest.Value;
        bench.Server.Faults.Add(RegistryStep.UploadPut, FaultAction.Status(503, headers: "Retry-After: 7"));

        await bench.Client.PushBlobAsync(bench.Named("acme/shop"), blob, TestContext.Current.CancellationToken);

        Assert.Contains(("try 2 of 5", digest, 7), bench.Log.Progress);
        Assert.Equal(200_000, bench.Log.Progress.Where(step => step.What == "sent").Sum(step => step.Amount));
        Assert.Equal(("settled", digest, 0), bench.Log.Progress.Last());
    }

    [Fact]
    public async Task WhatComesFromARegistryIntoTheStoreIsToldToo()
    {
        await using var bench = await PublishingBench.StartAsync();
        await using var connections = RegistryBench.For(bench.Server);

        var result = await bench
            .Publisher(connections.Client)
            .PublishAsync(bench.Request("1.0") with { Destinations = [] }, TestContext.Current.CancellationToken);

        Assert.Contains(connections.Log.Progress, step =>
            step.What == "sending" && step.Subject == result.Image.Layers[0].Descriptor.Digest.Value
        );
        EveryByteIsToldOnce(connections.Log);
    }

    private static void EveryByteIsToldOnce(TestLog log)
    {
        var blobs = log.Progress.Where(step => step.What == "sending").ToList();
        Assert.NotEmpty(blobs);
        Assert.All(blobs, blob =>
        {
            Assert.Equal(
                blob.Amount,
                log.Progress.Where(step => step.What == "sent" && step.Subject == blob.Subject).Sum(step => step.Amount)
            );
            Assert.Single(log.Progress, step => step.What == "settled" && step.Subject == blob.Subject);
        });
    }
}

using ImagePublish.Diagnostics;
using ImagePublish.Testing;

namespace ImagePublish.Tests.Destinations;

/// <summary>One build, several places: what was done and what was not is told to the tag.</summary>
public sealed class SeveralRegistriesTests
{
    [Fact]
    public async Task OneBuildGoesToAllOfThemWithOneDigest()
    {
        await using var bench = await PublishingBench.StartAsync();

        var result = await bench.PublishAsync(bench.Request("1", "2") with { Destinations = [bench.Named("a/x"), bench.Named("b/x")] });

        Assert.Equal(["a/x", "b/x"], result.Deliveries.Select(delivery => delivery.Repository!.Name));
        Assert.All(["a/x", "b/x"], repository => Assert.Equal(result.Image.Digest.Value, bench.TagDigest(repository, "2")));
    }

    [Fact]
    public async Task WhenOneDoesNotGetTheImageNoTagMovesAnywhere()
    {
        await using var bench = await PublishingBench.StartAsync();
        bench.Server.Faults.Add(
            new Fault(RegistryStep.ManifestPut, FaultAction.Status(403))
            {
                When = request => request.Repository == "b/x",
                Times = Fault.Always,
            }
        );

        var error = await Assert.ThrowsAsync<ImagePublishException>(() =>
            bench.PublishAsync(bench.Request("1") with { Destinations = [bench.Named("a/x"), bench.Named("b/x")] })
        );

        Assert.Contains("No tag was moved in any of", error.Message, StringComparison.Ordinal);
        Assert.All(["a/x", "b/x"], repository => Assert.Empty(bench.Server.Content.Tags(repository)));
    }
}

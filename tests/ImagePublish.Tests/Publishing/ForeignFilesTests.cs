using ImagePublish.Layers;
using ImagePublish.Reporting;

namespace ImagePublish.Tests.Publishing;

/// <summary>A publish says how much it puts into an image that only other systems can use.</summary>
public sealed class ForeignFilesTests
{
    [Fact]
    public async Task OnlyFilesForOtherSystemsCount()
    {
        await using var bench = await PublishingBench.StartAsync();
        bench.Write("runtimes/win-x64/native/sni.dll", "twelve bytes");
        bench.Write("runtimes/linux-arm64/native/libsni.so", "three");
        bench.Write("runtimes/linux-x64/native/libsni.so", "of use");
        bench.Write("runtimes/unix/lib/net8.0/Sni.dll", "of use");
        bench.Write("data/runtimes/win-x64/sni.dll", "the app's own");

        var result = await bench.PublishAsync(bench.Request("1.0"));

        Assert.Equal("twelve bytes".Length + "three".Length, result.ForeignLength);
    }

    [Fact]
    public async Task WhatWasThereBeforeDoesNotCount()
    {
        await using var bench = await PublishingBench.StartAsync();
        bench.Write("runtimes/win-x64/native/sni.dll", "twelve bytes");
        var request = bench.Request("1.0");
        request = request with
        {
            Items = [.. request.Items, new PublishItem("runtimes/win-x64/native/sni.dll", PublishItemOrigin.Package)],
        };
        await bench.PublishAsync(request);
        bench.Write("App.dll", "app 2");

        var result = await bench.PublishAsync(request);

        Assert.False(result.IsUnchanged);
        Assert.Equal(0, result.ForeignLength);
    }

    [Fact]
    public async Task ItIsToldFromTenMegabytesOn()
    {
        await using var bench = await PublishingBench.StartAsync();
        var result = await bench.PublishAsync(bench.Request("1.0"));

        Assert.Null(PublishSummary.Advice(result with { ForeignLength = 9_999_999 }, "linux-x64"));
        Assert.Equal(
            "  143.2 MB of its files are for other platforms. To leave them out, publish with -r linux-x64 --self-contained false",
            PublishSummary.Advice(result with { ForeignLength = 143_210_000 }, "linux-x64")
        );
    }
}

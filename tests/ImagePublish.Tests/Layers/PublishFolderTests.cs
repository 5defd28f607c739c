using ImagePublish.Layers;
using static ImagePublish.Tests.Layers.LayerTesting;

namespace ImagePublish.Tests.Layers;

public sealed class PublishFolderTests
{
    private const string GoldenDiffId = "sha256:f94de7c8068bbca426ed6d46bfc57ae662307617614b2be7b297fdf9dd34de5e";

    [Fact]
    public async Task AFixedFolderHasTheGoldenDiffId()
    {
        using var folder = Sample();

        Assert.Equal(GoldenDiffId, (await LayerTar.DiffIdAsync(Content(folder, Portable), Token)).Value);
    }

    private static LayerEntryDefaults Portable => new() { Executables = ExecutableRule.Content };

    private static TempFolder Sample()
    {
        var folder = new TempFolder();
        folder.File("shop.dll", "MZ not really");
        folder.File("shop", "\u007fELF not really");
        folder.File("run.sh", "#!/bin/sh\n");
        folder.File("wwwroot/css/shop.css", "body { color: red }");
        folder.File("de/shop.resources.dll", "Übersetzung");
        folder.File("empty.txt", "");
        folder.File("Ünïcode/😀.txt", "smile");
        folder.File("long/" + new string('x', 120) + "/" + new string('y', 130), "long");
        Directory.CreateDirectory(folder.At("nothing"));
        return folder;
    }
}

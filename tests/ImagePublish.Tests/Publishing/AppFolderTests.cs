using ImagePublish.Layers;
using ImagePublish.Publishing;
using ImagePublish.Requests;
using ImagePublish.Testing;

namespace ImagePublish.Tests.Publishing;

/// <summary>The folders above the app's, where the base has attributes of its own for them.</summary>
public sealed class AppFolderTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("home/app/shop", 0, "d 750 1654:1654 home/app", "d 755 0:0 home/app/shop")]
    [InlineData("home/app/shop", 7, "d 750 1654:1654 home/app", "d 755 7:7 home/app/shop")]
    [InlineData("home/app", 0, "d 750 1654:1654 home/app")]
    [InlineData("home/app", 7, "d 755 7:7 home/app")]
    [InlineData("home/new/shop", 0, "d 755 0:0 home/new", "d 755 0:0 home/new/shop")]
    [InlineData("tmp/shop", 0, "d 1777 0:0 tmp", "d 755 0:0 tmp/shop")]
    [InlineData("root/shop", 0, "d 700 0:0 root", "d 755 0:0 root/shop")]
    [InlineData("srv/shop", 0, "d 755 0:0 srv/shop")]
    [InlineData("opt/acme/shop", 7, "d 755 7:7 opt/acme", "d 755 7:7 opt/acme/shop")]
    [InlineData("home/site/wwwroot", 0, "d 755 0:0 home/site", "d 755 0:0 home/site/wwwroot")]
    public async Task AreAsInTheBase(string folder, int owner, params string[] folders)
    {
        await using var bench = await StartAsync();

        var result = await bench.PublishAsync(Request(bench, folder, owner));

        Assert.NotEmpty(result.Image.Layers.Skip(1));
        foreach (var layer in result.Image.Layers.Skip(1))
        {
            var entries = await TreeLayer.ReadAsync(bench.Server.Content.Blob("acme/shop", layer.Descriptor.Digest.Value)!, Cancel);
            Assert.Equal(
                folders,
                entries.Where(entry => entry.StartsWith('d') && !entry.EndsWith($"{folder}/wwwroot", StringComparison.Ordinal))
            );
        }
    }

    [Theory]
    [InlineData("app", 0)]
    [InlineData("srv/shop", 0)]
    [InlineData("home/site/wwwroot", 0)]
    [InlineData("home/app/shop", 1)]
    public async Task TheBaseIsReadForThemAloneWhereTheyMayBePeculiar(string folder, int layersRead)
    {
        await using var bench = await StartAsync();

        await bench.PublishAsync(Request(bench, folder, 0));

        Assert.Equal(layersRead, bench.Server.Requests.Count(request => request.Step == RegistryStep.BlobGet && IsLayer(request)));

        bool IsLayer(RecordedRequest request) =>
            bench.Server.Content.Blob("dotnet/aspnet", request.Target.Split('/')[^1]) is [0x1f, 0x8b, ..];
    }

    private static async Task<PublishingBench> StartAsync()
    {
        var bench = await PublishingBench.StartAsync();
        var system = TreeLayer.Create(
            "d 755 0:0 home",
            "d 750 1654:1654 home/app",
            "d 777 5:5 home/site",
            "d 700 0:0 root",
            "d 775 9:9 srv",
            "d 1777 0:0 tmp"
        );
        bench.Server.SeedImage("dotnet/aspnet", "10.0", [system], Seeding.ConfigOf("amd64"));
        bench.Write("App.dll", "app");
        bench.Write("App.pdb", "symbols");
        bench.Server.Requests.Clear();
        return bench;
    }

    private static PublishRequest Request(PublishingBench bench, string folder, int owner)
    {
        var request = bench.Request("1.0");
        return request with
        {
            EntryDefaults = new LayerEntryDefaults { TargetFolder = folder },
            FileOwner = owner == 0 ? null : new FileOwner($"{owner}", null),
            Selection = request.Selection with { Symbols = SymbolPlacement.Layer },
        };
    }
}

using ImagePublish.Layers;
using static ImagePublish.Tests.Layers.LayerTesting;

namespace ImagePublish.Tests.Layers;

public sealed class LayerPlanTests
{
    private static readonly PublishItem[] Items =
    [
        new("System.Runtime.dll", PublishItemOrigin.Runtime),
        new("Dapper.dll", PublishItemOrigin.Package),
        new(@"runtimes\linux\native.so", PublishItemOrigin.Package),
        new("de/Dapper.resources.dll", PublishItemOrigin.Package),
        new("Preview.dll", PublishItemOrigin.PrereleasePackage),
        new("Shop.Core.dll", PublishItemOrigin.Project),
        new("de/Shop.resources.dll", PublishItemOrigin.App),
        new("wwwroot/site.css", PublishItemOrigin.App),
        new("styles/other.css", PublishItemOrigin.StaticContent),
        new("Shop.dll", PublishItemOrigin.App),
        new("Shop.deps.json", PublishItemOrigin.Package),
        new("Shop.runtimeconfig.json", PublishItemOrigin.Runtime),
        new("gone.dll", PublishItemOrigin.Package),
    ];

    [Fact]
    public void WhatChangesLeastLiesLowest()
    {
        using var folder = Published();
        Directory.CreateDirectory(folder.At("empty"));

        var layers = LayerLayout.Create(Read(folder), Items, LayeringMode.Auto);

        Assert.Equal(["runtime", "packages", "projects", "static", "app"], layers.Select(layer => layer.Name));
        Assert.Equal(["app", "app/System.Runtime.dll"], Paths(layers[0]));
        Assert.Equal(
            [
                "app",
                "app/Dapper.dll",
                "app/de",
                "app/de/Dapper.resources.dll",
                "app/runtimes",
                "app/runtimes/linux",
                "app/runtimes/linux/native.so",
            ],
            Paths(layers[1])
        );
        Assert.Equal(["app", "app/Preview.dll", "app/Shop.Core.dll"], Paths(layers[2]));
        Assert.Equal(
            ["app", "app/de", "app/de/Shop.resources.dll", "app/styles", "app/styles/other.css", "app/wwwroot", "app/wwwroot/site.css"],
            Paths(layers[3])
        );
        Assert.Equal(
            ["app", "app/Shop.deps.json", "app/Shop.dll", "app/Shop.runtimeconfig.json", "app/empty", "app/unknown.txt"],
            Paths(layers[4])
        );
    }

    [Fact]
    public void ALargePackageHasALayerOfItsOwnBelowTheOthers()
    {
        using var folder = Published();
        folder.File("Large.dll", new string('x', (int)LargePackages.MinLength - 1));
        folder.File("runtimes/linux/large.so", "x");
        folder.File("Small.dll", new string('x', (int)LargePackages.MinLength - 1));
        PublishItem[] items =
        [
            .. Items,
            new("Large.dll", PublishItemOrigin.Package) { Package = "Large.Package" },
            new("runtimes/linux/large.so", PublishItemOrigin.Package) { Package = "large.package" },
            new("Small.dll", PublishItemOrigin.Package) { Package = "Small.Package" },
        ];

        var layers = LayerLayout.Create(Read(folder), items, LayeringMode.Auto);

        Assert.Equal(["runtime", "package large.package", "packages", "projects", "static", "app"], layers.Select(layer => layer.Name));
        Assert.Equal(["app", "app/Large.dll", "app/runtimes", "app/runtimes/linux", "app/runtimes/linux/large.so"], Paths(layers[1]));
        Assert.Contains("app/Small.dll", Paths(layers[2]));
    }

    [Fact]
    public void WhatIsOnlyCopiedHasALayerOfItsOwnBelowWhatIsBuilt()
    {
        using var folder = Published();
        folder.File("data/words.txt", "words");
        folder.File("model.onnx", new string('x', 1 << 20));
        folder.File("appsettings.json", new string('x', (1 << 20) - 1));
        folder.File("wwwroot/logo.svg", "logo");
        folder.File("fr/Shop.resources.dll", "fr");
        string[] copied = ["data/words.txt", "model.onnx", "appsettings.json", "wwwroot/logo.svg", "fr/Shop.resources.dll"];

        var layers = LayerLayout.Create(
            Read(folder),
            [.. Items, .. copied.Select(path => new PublishItem(path, PublishItemOrigin.Content))],
            LayeringMode.Auto
        );

        Assert.Equal(["runtime", "packages", "content", "projects", "static", "app"], layers.Select(layer => layer.Name));
        Assert.Equal(["app", "app/data", "app/data/words.txt", "app/model.onnx"], Paths(layers[2]));
        // Configuration changes as often as the code; web content and satellites are where they always are.
        Assert.Contains("app/appsettings.json", Paths(layers[5]));
        Assert.Contains("app/wwwroot/logo.svg", Paths(layers[4]));
        Assert.Contains("app/fr/Shop.resources.dll", Paths(layers[4]));
    }

    [Fact]
    public void OnlyAFewPackagesHaveALayerOfTheirOwn()
    {
        var packages = Enumerable.Range(0, 20).Select(number => ($"Package{number:00}", LargePackages.MinLength + (number / 2)));

        var large = new LargePackages(packages.Reverse());

        Assert.Equal(
            ["Package12", "Package13", "Package14", "Package15", "Package16", "Package17", "Package18", "Package19"],
            packages.Select(package => package.Item1).Where(large.Contains)
        );
    }

    [Fact]
    public void EverythingIsSomewhereAndOnlyOnce()
    {
        using var folder = Published();
        var entries = Read(folder);

        var planned = LayerLayout
            .Create(entries, Items, LayeringMode.Auto)
            .SelectMany(layer => layer.Entries)
            .Where(entry => entry.Kind == LayerEntryKind.File);

        Assert.Equal(
            entries.Where(entry => entry.Kind == LayerEntryKind.File).Select(entry => entry.Path).Order(StringComparer.Ordinal),
            planned.Select(entry => entry.Path).Order(StringComparer.Ordinal)
        );
    }

    [Fact]
    public void EmptyLayersVanish()
    {
        using var folder = new TempFolder();
        folder.File("Shop.dll", "x");

        Assert.Equal(["app"], LayerLayout.Create(Read(folder), Items, LayeringMode.Auto).Select(layer => layer.Name));
    }

    [Fact]
    public void AllCanBeInOneLayer()
    {
        using var folder = Published();
        var entries = Read(folder);

        var layer = Assert.Single(LayerLayout.Create(entries, Items, LayeringMode.Single));

        Assert.Equal(entries.Select(entry => entry.Path), Paths(layer));
    }

    [Fact]
    public async Task ServicesWithTheSamePackagesShareTheirLayer()
    {
        using var shop = Published();
        using var other = new TempFolder();
        foreach (var name in (string[])["Dapper.dll", "runtimes/linux/native.so", "de/Dapper.resources.dll"])
            other.File(name, name);
        other.File("Other.dll", "other");
        other.File("de/Other.resources.dll", "other");

        var first = LayerLayout.Create(Read(shop), Items, LayeringMode.Auto).Single(layer => layer.Name == "packages");
        var second = LayerLayout.Create(Read(other), Items, LayeringMode.Auto).Single(layer => layer.Name == "packages");

        Assert.Equal(await LayerTar.DiffIdAsync(first, Token), await LayerTar.DiffIdAsync(second, Token));
    }

    [Fact]
    public void StaticContentOutsideOfItsFolderHasItsOwnTimeToo()
    {
        using var folder = Published();

        foreach (var mode in Enum.GetValues<LayeringMode>())
        {
            var entries = LayerLayout.Create(Read(folder), Items, mode).SelectMany(layer => layer.Entries).ToLookup(entry => entry.Path);
            Assert.NotEqual(LayerEntryDefaults.DefaultModified, entries["app/styles/other.css"].Single().Modified);
            Assert.Equal(LayerEntryDefaults.DefaultModified, entries["app/Shop.dll"].Single().Modified);
        }
    }

    private static IEnumerable<string> Paths(LayerInput layer) => layer.Entries.Select(entry => entry.Path);

    private static TempFolder Published()
    {
        var folder = new TempFolder();
        foreach (var item in Items.Where(item => item.RelativePath != "gone.dll"))
            folder.File(item.RelativePath.Replace('\\', '/'), item.RelativePath.Replace('\\', '/'));
        folder.File("unknown.txt", "?");
        return folder;
    }
}

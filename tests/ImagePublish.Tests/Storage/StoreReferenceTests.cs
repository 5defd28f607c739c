using System.Text.Json.Nodes;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Storage;
using ImagePublish.Storage.Archives;

namespace ImagePublish.Tests.Storage;

public sealed class StoreReferenceTests : IDisposable
{
    private readonly TestStore test = new();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    private ImageStore Store => test.Store;

    private string IndexFile => Path.Combine(test.Folder, "index.json");

    [Fact]
    public async Task ANamedImageIsFoundAndListed()
    {
        var manifest = await test.PutImageAsync("amd64", "a", "bb");
        await Store.SetReferencesAsync(["acme/shop:1.0", "localhost:5000/acme/shop:1.0"], manifest, StoredPlatforms.All, Cancelled);

        var images = await Store.ListAsync(Cancelled);

        Assert.Equal(manifest, await Store.FindReferenceAsync("acme/shop:1.0", Cancelled));
        Assert.Null(await Store.FindReferenceAsync("acme/shop", Cancelled));
        Assert.Equal(["acme/shop:1.0", "localhost:5000/acme/shop:1.0"], images.Select(image => image.Name));
        Assert.All(images, image => Assert.True(image.IsWhole));
        Assert.All(images, image => Assert.Equal("linux/amd64", Assert.Single(image.Platforms).ToString()));
        Assert.Equal(test.Blobs.Sum(path => new FileInfo(path).Length), images[0].Size);
    }

    [Fact]
    public async Task ANameMoves()
    {
        await Store.SetReferenceAsync("shop:latest", await test.PutImageAsync("amd64", "a"), Cancelled);
        var second = await test.PutImageAsync("amd64", "b");
        await Store.SetReferenceAsync("shop:latest", second, Cancelled);

        Assert.Equal(second.Digest, Assert.Single(await Store.ListAsync(Cancelled)).Descriptor.Digest);
    }

    [Fact]
    public async Task ANameIsRemoved()
    {
        await Store.SetReferenceAsync("shop:1", await test.PutImageAsync("amd64", "a"), Cancelled);

        Assert.True(await Store.RemoveReferenceAsync("shop:1", Cancelled));
        Assert.False(await Store.RemoveReferenceAsync("shop:1", Cancelled));
        Assert.Empty(await Store.ListAsync(Cancelled));
    }

    [Fact]
    public async Task AnImageThatLacksALayerIsNotListed()
    {
        var manifest = await test.PutImageAsync("amd64", "a", "b");
        File.Delete(test.BlobFile(MemoryBlobSource.Create(MediaTypes.OciLayer, "b"u8.ToArray()).Descriptor));

        await FailsAsync("IMG3104", () => Store.SetReferenceAsync("shop:1", manifest, Cancelled));
        Assert.Empty(await Store.ListAsync(Cancelled));
    }

    [Fact]
    public async Task AnIndexIsListedWithItsPlatforms()
    {
        var index = await test.PutIndexAsync(await test.PutImageAsync("amd64", "a", "b"), await test.PutImageAsync("arm64", "a", "c"));
        await Store.SetReferenceAsync("shop:1", index, Cancelled);

        Assert.Equal(
            ["linux/amd64", "linux/arm64"],
            Assert.Single(await Store.ListAsync(Cancelled)).Platforms.Select(platform => platform.ToString())
        );
    }

    [Fact]
    public async Task AnIndexWithOnePlatformOfTwoIsListedOnlyIfThatIsEnough()
    {
        var index = await test.PutIndexAsync(await test.PutImageAsync("amd64", "a"), SmallImage.Create("arm64", "b").Manifest.Descriptor);

        await FailsAsync("IMG3104", () => Store.SetReferenceAsync("base:1", index, Cancelled));
        await Store.SetReferencesAsync(["base:1"], index, StoredPlatforms.Some, Cancelled);

        var image = Assert.Single(await Store.ListAsync(Cancelled));
        Assert.True(image.IsWhole);
        Assert.Equal(index, image.Descriptor);
        Assert.Equal("linux/amd64", Assert.Single(image.Platforms).ToString());
    }

    [Fact]
    public async Task ANamedImageIsLoadedWithThePlatformsThatAreThere()
    {
        var amd = await test.PutImageAsync("amd64", "a", "b");
        var index = await test.PutIndexAsync(amd, SmallImage.Create("arm64", "c").Manifest.Descriptor);
        await Store.SetReferencesAsync(["base:1"], index, StoredPlatforms.Some, Cancelled);

        var loaded = await Store.LoadAsync("base:1", Cancelled);

        Assert.Equal(index, loaded!.Root.Descriptor);
        Assert.Equal(amd.Digest, Assert.Single(loaded.Platforms).Digest);
        Assert.All(loaded.Platforms[0].Layers, layer => Assert.NotNull(layer.Source));
        Assert.Null(await Store.LoadAsync("base:2", Cancelled));
    }

    [Fact]
    public async Task AnImageWithADamagedConfigIsNotLoaded()
    {
        await Store.SetReferenceAsync("shop:1", await test.PutImageAsync("amd64", "a"), Cancelled);
        var config = SmallImage.Create("amd64", "a").ConfigBlob;
        await File.WriteAllBytesAsync(test.BlobFile(config.Descriptor), new byte[config.Content.Length], Cancelled);

        await FailsAsync("IMG3103", () => Store.LoadAsync("shop:1", Cancelled));
    }

    [Fact]
    public async Task WhatOtherToolsWroteIntoTheListStays()
    {
        var manifest = await test.PutImageAsync("amd64", "a");
        var foreign = $$$"""
            {"schemaVersion":2,"manifests":[{"mediaType":"application/x","digest":"{{{manifest.Digest}}}","size":1,"novel":[1]}],"annotations":{"k":"v"},"novel":{"a":2.50}}
            """;
        await File.WriteAllTextAsync(IndexFile, foreign, Cancelled);

        await Store.SetReferenceAsync("shop:1", manifest, Cancelled);
        await Store.RemoveReferenceAsync("shop:1", Cancelled);

        Assert.Equal(foreign, await File.ReadAllTextAsync(IndexFile, Cancelled));
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("{\"manifests\":[{\"mediaType\":\"x\",\"digest\":\"sha256:../../x\",\"size\":1}]}")]
    public async Task ADamagedListIsOneClearErrorAndNothingIsWritten(string content)
    {
        var manifest = await test.PutImageAsync("amd64", "a");
        await File.WriteAllTextAsync(IndexFile, content, Cancelled);

        await FailsAsync("IMG3103", () => Store.SetReferenceAsync("shop:1", manifest, Cancelled));
        await FailsAsync("IMG3103", () => Store.ListAsync(Cancelled));
        Assert.Equal(content, await File.ReadAllTextAsync(IndexFile, Cancelled));
    }

    [Fact]
    public async Task TheEntryIsWhatTheSpecificationSays()
    {
        var manifest = await test.PutImageAsync("amd64", "a");
        await Store.SetReferenceAsync("acme/shop:1.0", manifest, Cancelled);

        var entry = JsonNode.Parse(await File.ReadAllTextAsync(IndexFile, Cancelled))!["manifests"]![0]!;

        Assert.Equal(manifest.Digest.Value, (string?)entry["digest"]);
        Assert.Equal("acme/shop:1.0", (string?)entry["annotations"]!["org.opencontainers.image.ref.name"]);
    }

    [Fact]
    public async Task AStoreThatAnotherKeepsLockedIsAClearErrorAfterAWhile()
    {
        using var impatient = new TestStore(options => options with { LockTimeout = TimeSpan.FromMilliseconds(50) });
        var manifest = await impatient.PutImageAsync("amd64", "a");
        using var other = new FileStream(
            Path.Combine(impatient.Folder, ".imagepublish", "lock"),
            FileMode.OpenOrCreate,
            FileAccess.ReadWrite,
            FileShare.None
        );

        await FailsAsync("IMG3102", () => impatient.Store.SetReferenceAsync("shop:1", manifest, Cancelled));
    }

    [Fact]
    public async Task WaitingForTheLockCanBeCancelled()
    {
        var manifest = await test.PutImageAsync("amd64", "a");
        using var other = new FileStream(
            Path.Combine(test.Folder, ".imagepublish", "lock"),
            FileMode.OpenOrCreate,
            FileAccess.ReadWrite,
            FileShare.None
        );
        using var cancel = new CancellationTokenSource(TimeSpan.FromMilliseconds(50));

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Store.SetReferenceAsync("shop:1", manifest, cancel.Token));
    }

    [Fact]
    public async Task ManyAtOnceLoseNoName()
    {
        var manifest = await test.PutImageAsync("amd64", "a");

        await Task.WhenAll(
            Enumerable.Range(0, 40).Select(number => Task.Run(() => Store.SetReferenceAsync($"shop:{number}", manifest, Cancelled)))
        );

        Assert.Equal(40, (await Store.ListAsync(Cancelled)).Count);
    }

    public void Dispose() => test.Dispose();

    private static async Task FailsAsync(string code, Func<Task> action) =>
        Assert.Equal(code, (await Assert.ThrowsAsync<ImagePublishException>(action)).Code.Id);
}

using System.Text;
using ImagePublish.Bases;
using ImagePublish.Commands;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Storage.Archives;

namespace ImagePublish.Tests.Bases;

/// <summary>Bases whose documents are odd, but as tools write them; and bases that can't be used.</summary>
public sealed class OddBaseTests
{
    private const string WithoutPlatform =
        """{"architecture":"","os":"","config":{"Env":["A=b"]},"rootfs":{"type":"layers","diff_ids":[]}}""";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("""{"architecture":"amd64","os":"linux","config":{"Env":["A=b"]},"rootfs":{"type":"layers","diff_ids":null}}""", "[]")]
    [InlineData("""{"architecture":"amd64","os":"linux","config":{"Env":["A=b"]}}""", "null")]
    [ReliabilityCase("Base images", "the base has no layers: they are null or missing in its config", "the image is built on it")]
    public async Task ABaseWithoutLayersIsABase(string config, string layers)
    {
        await using var bench = await PublishingBench.StartAsync();
        var request = bench.Request("1.0") with { Base = Push(bench, config, layers) };

        var result = await bench.PublishAsync(request);

        Assert.Contains("A=b", result.Image.Config.Config?.Env ?? []);
        Assert.Equal(result.Image.Config.RootFs.DiffIds.Count, result.Image.Layers.Count);
    }

    [Fact]
    [ReliabilityCase(
        "Base images",
        "an index says linux/amd64 for a base whose config has no platform",
        "the index is used, in a registry and in an archive"
    )]
    public async Task AnIndexIsBelievedWhereTheConfigSaysNothing()
    {
        await using var bench = await PublishingBench.StartAsync();
        var manifest = PushManifest(bench, WithoutPlatform, "[]");
        var index = new ImageIndex([manifest with { Platform = new Platform("linux", "amd64") }]) { MediaType = MediaTypes.OciIndex };
        bench.Server.Content.PutManifest("dotnet/aspnet", "odd", OciJson.Write(index), MediaTypes.OciIndex);
        var request = bench.Request("1.0") with { Base = new RegistryImage(bench.Named("dotnet/aspnet").ReferenceTo(Tag.Parse("odd"))) };

        var result = await bench.PublishAsync(request);

        Assert.Equal("linux/amd64", result.Image.Config.Platform.ToString());
        Assert.Equal("linux/amd64", OciJson.ReadConfig(result.Image.ConfigBlob.Content.Span).Platform.ToString());

        await using var registry = RegistryBench.For(bench.Server);
        var store = bench.Store();
        await new ImageCopier(registry.Client, store).CopyAsync(
            new CopyRequest(
                new RegistryImage(request.Base is RegistryImage { Reference: var odd } ? odd : null!),
                [],
                "odd",
                [Tag.Parse("1")]
            ),
            Cancel
        );
        var kept = await new LocalBaseResolver(store).ResolveAsync(new StoreImage("odd:1"), new Platform("linux", "amd64"), Cancel);
        Assert.Equal("linux/amd64", kept.Config.Platform.ToString());
    }

    [Theory]
    [InlineData(
        WithoutPlatform,
        "IMG2002",
        "It does not say which platform it is for: choose another image, or one whose config has os and architecture."
    )]
    [InlineData("""{"architecture":"s390x","os":""}""", "IMG2002", "It exists for unknown/s390x.")]
    [InlineData(
        """{"architecture":"amd64","os":"linux","config":{"Entrypoint":"/bin/sh"}}""",
        "IMG2003",
        "the config's $.config.Entrypoint is the string '/bin/sh', but must be a list of strings."
    )]
    [InlineData(
        """{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":["sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"]}}""",
        "IMG2003",
        "it has 0 layers but 1 diff ids."
    )]
    [InlineData("<html>", "IMG2003", "the config is not JSON (line 1, byte 1).")]
    [ReliabilityCase(
        "Base images",
        "a base's config is malformed, or has no operating system or architecture",
        "one line says which image, where in which document, and what to do"
    )]
    public async Task WhatIsWrongWithABaseIsToldInOneLine(string config, string code, string says)
    {
        await using var bench = await PublishingBench.StartAsync();
        var request = bench.Request("1.0") with { Base = Push(bench, config, "[]") };

        var failure = await Assert.ThrowsAnyAsync<ImagePublishException>(() => bench.PublishAsync(request));

        Assert.Equal(code, failure.Code.Id);
        Assert.Contains($"{bench.Server.Host}/dotnet/aspnet:odd", failure.Message, StringComparison.Ordinal);
        Assert.True(failure.Message.Contains(says, StringComparison.Ordinal), failure.Message);
    }

    [Fact]
    public async Task AnArchivesManifestIsExplainedToo()
    {
        var path = Path.GetTempFileName();
        try
        {
            await File.WriteAllBytesAsync(
                path,
                TarBuilder.Create(("manifest.json", """[{"Config":"c.json","RepoTags":"acme/shop:1","Layers":null}]"""u8.ToArray())),
                Cancel
            );

            var failure = await Assert.ThrowsAnyAsync<ImagePublishException>(() => ImageArchive.OpenAsync(path, Cancel));

            Assert.Equal(
                $"'{path}' is damaged: the manifest.json's $[0].RepoTags is the string 'acme/shop:1', but must be a list of strings",
                failure.Message
            );
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static RegistryImage Push(PublishingBench bench, string config, string layers)
    {
        PushManifest(bench, config, layers);
        return new RegistryImage(bench.Named("dotnet/aspnet").ReferenceTo(Tag.Parse("odd")));
    }

    private static Descriptor PushManifest(PublishingBench bench, string config, string layers)
    {
        var blob = MemoryBlobSource.Create(MediaTypes.OciConfig, Encoding.UTF8.GetBytes(config));
        bench.Server.Content.PutBlob("dotnet/aspnet", blob.Content.Span);
        var json =
            $$"""{"schemaVersion":2,"mediaType":"{{MediaTypes.OciManifest}}","config":{"mediaType":"{{MediaTypes.OciConfig}}","digest":"{{blob.Descriptor.Digest}}","size":{{blob.Descriptor.Size}}},"layers":{{layers}}}""";
        var manifest = MemoryBlobSource.Create(MediaTypes.OciManifest, Encoding.UTF8.GetBytes(json));
        bench.Server.Content.PutManifest("dotnet/aspnet", "odd", manifest.Content.Span, MediaTypes.OciManifest);
        return manifest.Descriptor;
    }
}

using ImagePublish.Bases;
using ImagePublish.Diagnostics;
using ImagePublish.Images;
using ImagePublish.Oci;
using ImagePublish.Requests;
using ImagePublish.Testing;

namespace ImagePublish.Tests.Publishing;

/// <summary>A base that is read from a mirror is still the base that the project names.</summary>
public sealed class MirroredBaseTests
{
    [Fact]
    public async Task TheImageAndItsLockAreThoseOfTheOriginal()
    {
        await using var bench = await PublishingBench.StartAsync();
        await using var original = await RegistryBench.StartAsync();
        original.Server.SeedIndex("dotnet/aspnet", "10.0");
        bench.Server.SeedIndex("mcr/dotnet/aspnet", "10.0");
        var named = new RegistryImage(original.Named("dotnet/aspnet").ReferenceTo(Tag.Parse("10.0")));
        var mirrored = named with { Mirror = bench.Named("mcr/dotnet/aspnet") };

        var elsewhere = Request(bench, named, "direct") with { Destinations = [bench.Named("acme/direct")] };
        var direct = await bench.PublishAsync(elsewhere, "there");
        original.Server.Requests.Clear();
        var result = await bench.PublishAsync(Request(bench, mirrored, "mirrored"));

        Assert.Empty(original.Server.Requests);
        Assert.Equal(direct.Image.Digest, result.Image.Digest);
        Assert.Equal(named.Reference.ToString(), result.Image.Config.Config!.Labels![ImageLabels.BaseName]);
        Assert.Equal(
            await File.ReadAllTextAsync(bench.Lock("direct").File, PublishingBench.Cancel),
            await File.ReadAllTextAsync(bench.Lock("mirrored").File, PublishingBench.Cancel)
        );
        // The mirror is the destination's registry: the base's layer is mounted from it.
        var mounted = Assert.Single(bench.Server.Requests.Of(RegistryStep.MountPost));
        Assert.Contains("from=mcr%2Fdotnet%2Faspnet", mounted.Target, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnUnchangedPublishAsksTheMirror()
    {
        await using var bench = await PublishingBench.StartAsync();
        bench.Server.SeedIndex("mcr/dotnet/aspnet", "10.0");
        var request = bench.Request("1.0") with { Base = Mirrored(bench) };
        await bench.PublishAsync(request);

        var again = await bench.PublishAsync(request);

        Assert.True(again.IsUnchanged);
        Assert.Equal(2, bench.Server.Requests.Count);
    }

    [Fact]
    public async Task FilesOfOtherImagesAreReadFromTheMirrorToo()
    {
        await using var bench = await PublishingBench.StartAsync();
        bench.Server.SeedIndex("mcr/dotnet/aspnet", "10.0");
        var files = new FilesOfImage(new ItemSource("ImageFile", "/etc/base", null), Mirrored(bench), "etc/base") { Target = "srv/x" };

        var result = await bench.PublishAsync(bench.Request("1.0") with { OtherImages = new OtherImages([files], []) });

        Assert.Contains("from mcr.example.test/dotnet/aspnet", result.LayerNames);
    }

    [Fact]
    public async Task AnErrorNamesTheMirrorAndTheOriginal()
    {
        await using var bench = await PublishingBench.StartAsync();

        var error = await Assert.ThrowsAsync<ImagePublishException>(() =>
            bench.PublishAsync(bench.Request("1.0") with { Base = Mirrored(bench) })
        );

        Assert.Equal("IMG2001", error.Code.Id);
        Assert.Equal(
            "The base image 'mcr.example.test/dotnet/aspnet:10.0' does not exist. Check its name and tag, or set ImageBase to another one. "
                + $"'mcr.example.test/dotnet/aspnet:10.0' is read from the mirror '{bench.Server.Host}/mcr/dotnet/aspnet:10.0', "
                + "which ImageBaseRegistry or IMAGE_BASE_REGISTRY names.",
            error.Message
        );
    }

    private static RegistryImage Mirrored(PublishingBench bench) =>
        new(Reference.Parse("mcr.example.test/dotnet/aspnet:10.0")) { Mirror = bench.Named("mcr/dotnet/aspnet") };

    private static PublishRequest Request(PublishingBench bench, RegistryImage source, string name) =>
        bench.Request("1.0") with
        {
            Base = source,
            Project = new ProjectInfo(),
            Lock = bench.Lock(name),
        };
}

using ImagePublish.Diagnostics;
using ImagePublish.Images;
using ImagePublish.Oci;
using ImagePublish.Rebasing;
using ImagePublish.Requests;
using ImagePublish.Testing;
using ImagePublish.Tests.Registries;

namespace ImagePublish.Tests.Support;

/// <summary>An app that is published on a base, which then gets fixes.</summary>
internal sealed class RebaseBench : IAsyncDisposable
{
    private RebaseBench(PublishingBench publishing) => Publishing = publishing;

    public static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public PublishingBench Publishing { get; }

    public TestRegistry Server => Publishing.Server;

    public TestLog Log => Publishing.Log;

    public static async Task<RebaseBench> StartAsync(TestBase old)
    {
        var bench = new RebaseBench(await PublishingBench.StartAsync());
        old.SeedTo(bench.Server);
        return bench;
    }

    public Reference Shop => Publishing.Named("acme/shop").ReferenceTo(Tag.Parse("1.0"));

    /// <summary>A publish with a setting of every kind, some of them the base's.</summary>
    public PublishRequest Request(string repository = "acme/shop", string architecture = "amd64")
    {
        var request = Publishing.Request("1.0");
        return request with
        {
            Destinations = [Publishing.Named(repository)],
            Project = new ProjectInfo
            {
                Title = "Shop",
                Version = "1.0",
                FrameworkVersion = "10.0",
            },
            Spec = request.Spec with
            {
                Platform = new Platform("linux", architecture),
                EnvironmentVariables = [new("SHOP", "1"), new("PATH_OF_SHOP", "/app")],
                Labels = [new("com.example.shop", "yes")],
                Annotations = [new("com.example.note", "of the image")],
                Ports = [new ExposedPort(9000)],
                Volumes = ["/data"],
            },
        };
    }

    /// <summary>Publishes for two platforms, as one index.</summary>
    public async Task<Digest> PublishAllAsync(Func<string, PublishRequest> request, string machine = "here")
    {
        var images = new List<Descriptor>();
        foreach (var architecture in new[] { "amd64", "arm64" })
        {
            var published = await Publishing.PublishAsync(request(architecture) with { Tags = [] }, machine);
            images.Add(published.Image.IndexEntry);
        }

        var index = new IndexRequest
        {
            Images = images,
            Destinations = request("amd64").Destinations,
            LocalName = "acme/shop",
            Tags = request("amd64").Tags,
            Annotations = [new("org.opencontainers.image.title", "Shop")],
        };
        return (await Publishing.PublishAsync(index, machine)).Index.Descriptor.Digest;
    }

    public Task<RebaseResult> RebaseAsync(Func<RebaseRequest, RebaseRequest>? change = null, string machine = "ci") =>
        RebaseAsync((change ?? (request => request))(new RebaseRequest(Shop)), machine);

    public async Task<RebaseResult> RebaseAsync(RebaseRequest request, string machine = "ci")
    {
        Server.Requests.Clear();
        await using var registry = RegistryBench.For(Server);
        return await new ImageRebaser(Publishing.Context(registry.Client, machine)).RebaseAsync(request, Cancel);
    }

    public async Task<IReadOnlyList<RebaseOutcome>> RebaseAsync(IReadOnlyList<RebaseRequest> requests, string machine = "ci")
    {
        Server.Requests.Clear();
        await using var registry = RegistryBench.For(Server);
        return await new ImageRebaser(Publishing.Context(registry.Client, machine)).RebaseAsync(requests, Cancel);
    }

    public async Task<string> RefusedAsync(DiagnosticCode code, Func<RebaseRequest, RebaseRequest>? change = null)
    {
        var before = Server.Content.Tags("acme/shop").GetValueOrDefault("1.0");
        var exception = await Assert.ThrowsAsync<ImagePublishException>(() => RebaseAsync(change));
        Assert.Equal(code, exception.Code);
        Assert.DoesNotContain('\n', exception.Message);
        // Nothing was written.
        Assert.Equal(0, Publishing.Moved(RegistryStep.ManifestPut, RegistryStep.UploadPost, RegistryStep.MountPost));
        Assert.Equal(before, Server.Content.Tags("acme/shop").GetValueOrDefault("1.0"));
        return exception.Message;
    }

    /// <summary>Whether a blob of any repository is a gzipped layer.</summary>
    public bool IsLayer(string digest) =>
        Server.Content.Repositories.Any(repository => Server.Content.Blob(repository, digest) is [0x1f, 0x8b, ..]);

    /// <summary>The statements that are attached to an image, as text.</summary>
    public string AttachedTo(Digest image) =>
        string.Join(
            '\n',
            from manifest in Server.Content.Manifests("acme/shop")
            let read = manifest.MediaType == ImagePublish.Oci.MediaTypes.OciManifest ? OciJson.ReadManifest(manifest.Bytes.Span) : null
            where read?.Subject?.Digest == image
            from layer in read.Layers
            select System.Text.Encoding.UTF8.GetString(Server.Content.Blob("acme/shop", layer.Digest.Value)!)
        );

    public ValueTask DisposeAsync() => Publishing.DisposeAsync();
}

using ImagePublish.Attachments;
using ImagePublish.Bases;
using ImagePublish.Images;
using ImagePublish.Layers;
using ImagePublish.Oci;
using ImagePublish.Publishing;
using ImagePublish.Publishing.Explain;
using ImagePublish.Registries;
using ImagePublish.Requests;
using ImagePublish.Storage;
using ImagePublish.Testing;
using ImagePublish.Trust;

namespace ImagePublish.Tests.Support;

/// <summary>A publish folder, a registry with a base, and a publisher as a fresh build has it.</summary>
internal sealed class PublishingBench : IAsyncDisposable
{
    /// <summary>What provenance needs at least.</summary>
    public static BuildFacts Facts { get; } =
        new()
        {
            Tool = new BuildTool("1.0"),
            BuilderId = "https://ci.example.test/runner/1",
            Project = "App.csproj",
        };

    private readonly string folder = Directory.CreateTempSubdirectory("imagepublish-publishing-").FullName;

    private PublishingBench(TestRegistry server) => Server = server;

    public static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public TestRegistry Server { get; }

    public TestLog Log { get; } = new();

    public string PublishFolder => Path.Combine(folder, "publish");

    public static async Task<PublishingBench> StartAsync()
    {
        var bench = new PublishingBench(await TestRegistry.StartAsync(cancellationToken: Cancel));
        bench.Server.SeedIndex("dotnet/aspnet", "10.0");
        bench.Write("App.dll", "app 1");
        bench.Write("Package.dll", "package 1");
        bench.Write("wwwroot/site.css", "body {}");
        bench.Server.Requests.Clear();
        return bench;
    }

    public static async Task<PublishingBench> StartAsync(bool hasReferrers)
    {
        var bench = await StartAsync();
        bench.Server.Options.Content.Referrers = hasReferrers;
        return bench;
    }

    /// <summary>Verifies the signatures of an image as somebody does who knows nothing of the build.</summary>
    public async Task<IReadOnlyList<SignatureResult>> VerifyAsync(TrustRule rule, Digest image, TimeProvider? time = null)
    {
        var repository = Named("acme/shop");
        await using var stranger = RegistryBench.For(Server);
        var verifier = new ImageVerifier(stranger.Client, Store("stranger"), time ?? TimeProvider.System);
        var subject = new VerifiedSubject("image", repository.ReferenceTo(image)) { Location = repository, Digests = [image] };
        return await verifier.VerifyAsync(new TrustPolicy([rule]), subject, image, Cancel).ToListAsync(Cancel);
    }

    public void Write(string name, string content)
    {
        var path = Path.Combine(PublishFolder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, content);
    }

    public Repository Named(string name) => Repository.Create(Registry.Parse(Server.Host), name);

    public PublishRequest Request(params string[] tags) =>
        new()
        {
            Spec = new ImageSpec
            {
                Platform = new Platform("linux", "amd64"),
                Created = DateTimeOffset.UnixEpoch,
                WorkingDirectory = "/app",
                Entrypoint = ["dotnet", "/app/App.dll"],
            },
            Base = new RegistryImage(Named("dotnet/aspnet").ReferenceTo(Tag.Parse("10.0"))),
            PublishFolder = PublishFolder,
            Items =
            [
                new PublishItem("Package.dll", PublishItemOrigin.Package),
                new PublishItem("wwwroot/site.css", PublishItemOrigin.StaticContent),
            ],
            EntryDefaults = new LayerEntryDefaults(),
            Compression = new LayerCompression(Compression.Gzip, null),
            Destinations = [Named("acme/shop")],
            LocalName = "acme/shop",
            Tags = [.. tags.Select(Tag.Parse)],
        };

    /// <summary>
    /// Publishes as one build does: with connections, tokens and knowledge of its own. What a machine remembers is in its store.
    /// </summary>
    public async Task<PublishResult> PublishAsync(PublishRequest request, string machine = "here")
    {
        Server.Requests.Clear();
        await using var bench = RegistryBench.For(Server);
        return await Publisher(bench.Client, machine).PublishAsync(request, Cancel);
    }

    public async Task<ImagePlan> PlanAsync(PublishRequest request, string machine = "here")
    {
        Server.Requests.Clear();
        await using var bench = RegistryBench.For(Server);
        return await new ImagePlanner(Context(bench.Client, machine)).PlanAsync(request with { ComparedTags = [.. request.Tags] }, Cancel);
    }

    public async Task<IndexPlan> PlanAsync(IndexRequest request, string machine = "here")
    {
        Server.Requests.Clear();
        await using var bench = RegistryBench.For(Server);
        return await new IndexPublisher(Context(bench.Client, machine)).PlanAsync(request, Cancel);
    }

    public async Task<IndexResult> PublishAsync(IndexRequest request, string machine = "here")
    {
        Server.Requests.Clear();
        await using var bench = RegistryBench.For(Server);
        return await new IndexPublisher(Context(bench.Client, machine)).PublishAsync(request, Cancel);
    }

    public ImagePublisher Publisher(RegistryClient registries, string machine = "here") => new(Context(registries, machine));

    public PublishContext Context(RegistryClient registries, string machine = "here") => new(registries, Store(machine), Log);

    public ImageStore Store(string machine = "here") => ImageStore.Open(Path.Combine(folder, "store-" + machine), new StoreOptions());

    public LockRequest Lock(string name = "image") =>
        new(Path.Combine(folder, $"{name}.lock.json")) { LockFolder = Path.Combine(folder, "locks") };

    public string? TagDigest(string repository, string tag) => Server.Content.Tags(repository).GetValueOrDefault(tag);

    public int Moved(params RegistryStep[] steps) => steps.Sum(Server.Requests.CountOf);

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }
}

using System.Text.Json.Nodes;
using ImagePublish.Bases;
using ImagePublish.Diagnostics;
using ImagePublish.Images;
using ImagePublish.Oci;
using ImagePublish.Reproducing;
using ImagePublish.Requests;
using ImagePublish.Testing;
using ImagePublish.Tests.Registries;

namespace ImagePublish.Tests.Reproducing;

/// <summary>An app that one machine publishes, and another builds again.</summary>
internal sealed class ReproducingBench : IAsyncDisposable
{
    private const string Repository = "acme/shop";

    private ReproducingBench(PublishingBench publishing) => Publishing = publishing;

    public static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public PublishingBench Publishing { get; }

    public TestRegistry Server => Publishing.Server;

    /// <summary>The bases that <see cref="ReadAsync"/> was going to ask a registry for.</summary>
    public List<Reference> AskedBases { get; } = [];

    public static async Task<ReproducingBench> StartAsync()
    {
        var bench = new ReproducingBench(await PublishingBench.StartAsync());
        bench.Server.SeedImage("dotnet/aspnet", "10.0", [Seeding.LayerOf(("etc/base", "one"))], BaseConfig());
        bench.Write(new TestAssembly("App"));
        bench.Publishing.Write("App.deps.json", Dependencies("3.1.0"));
        bench.Publishing.Write("appsettings.json", "{\n  \"A\": 1\n}\n");
        return bench;
    }

    public static JsonObject BaseConfig()
    {
        var config = Seeding.ConfigOf("amd64");
        config["history"] = new JsonArray(new JsonObject { ["created_by"] = "base" });
        return config;
    }

    public static string Dependencies(string serilog) =>
        $$"""{"libraries":{"App/1.0.0":{"type":"project"},"Serilog/{{serilog}}":{"type":"package"} } }""";

    public void Write(TestAssembly assembly)
    {
        Write($"{assembly.Name}.dll", assembly.Dll());
        Write($"{assembly.Name}.pdb", assembly.Pdb());
    }

    public void Write(string name, byte[] bytes) => File.WriteAllBytes(Path.Combine(Publishing.PublishFolder, name), bytes);

    public PublishRequest Request()
    {
        var request = Publishing.Request("1.0");
        return request with
        {
            Project = new ProjectInfo
            {
                Title = "Shop",
                Version = "1.0.0",
                Revision = "c0ffee",
                FrameworkVersion = "10.0",
            },
            Spec = request.Spec with { EnvironmentVariables = [new("MODE", "a")], Labels = [new("com.example.team", "blue")] },
        };
    }

    public Task PublishAsync(PublishRequest? request = null) => Publishing.PublishAsync(request ?? Request());

    /// <summary>Replaces the published image by one whose documents were changed.</summary>
    public void Change(Action<JsonNode, JsonNode> change)
    {
        var manifest = Manifest();
        var config = JsonNode.Parse(Server.Content.Blob(Repository, manifest["config"]!["digest"]!.GetValue<string>())!)!;
        change(manifest, config);
        var bytes = OciJsonBytes(config);
        manifest["config"]!["digest"] = Server.Content.PutBlob(Repository, bytes);
        manifest["config"]!["size"] = bytes.Length;
        Server.Content.PutManifest(Repository, "1.0", OciJsonBytes(manifest), manifest["mediaType"]!.GetValue<string>());
    }

    public string Put(byte[] layer) => Server.Content.PutBlob(Repository, layer);

    public byte[] Blob(JsonNode? layer) => Server.Content.Blob(Repository, layer!["digest"]!.GetValue<string>())!;

    /// <summary>Compares the published image with a build of what is in the publish folder now.</summary>
    public async Task<PlatformReproduction> ReproduceAsync(
        PublishRequest? request = null,
        Func<ReproductionPlan, ReproductionPlan>? plan = null
    )
    {
        Server.Requests.Clear();
        await using var registry = RegistryBench.For(Server);
        var context = Publishing.Context(registry.Client, "another");
        var source = new RegistryImage(Publishing.Named(Repository).ReferenceTo(Tag.Parse("1.0")));
        var facts = new ReproductionPlan
        {
            Name = "acme/shop:1.0",
            Source = source.ToString(),
            Digest = Publishing.TagDigest(Repository, "1.0")!,
            Head = "c0ffee",
            Sdk = "10.0.100",
            Tool = "1.0.0",
        };
        var reproducer = new Reproducer(context, plan is null ? facts : plan(facts));
        var (result, _) = await reproducer.RunAsync(request ?? Request(), source, Cancel);
        return result;
    }

    /// <summary>Reads the image as the command does before it builds, and checks that it can be compared.</summary>
    public async Task<NamedImage> ReadAsync(params Platform[] platforms)
    {
        await using var registry = RegistryBench.For(Server);
        var opener = new ImageOpener(registry.Client, Publishing.Store("another"));
        var source = new RegistryImage(Publishing.Named(Repository).ReferenceTo(Tag.Parse("1.0")));
        var image = await NamedImage.LoadAsync("acme/shop:1.0", await opener.OpenAsync(source, Cancel), Cancel);
        image.Check(platforms.Length == 0 ? [new Platform("linux", "amd64")] : platforms);
        await Reproducer.CheckBasesAsync(image, opener.Documents, Locate, Cancel);
        return image;

        Reference Locate(Reference reference)
        {
            AskedBases.Add(reference);
            return reference;
        }
    }

    public async Task<string> RefusedAsync(DiagnosticCode code, params Platform[] platforms)
    {
        var exception = await Assert.ThrowsAsync<ImagePublishException>(() => ReadAsync(platforms));
        Assert.Equal(code, exception.Code);
        Assert.DoesNotContain('\n', exception.Message);
        return exception.Message;
    }

    public ValueTask DisposeAsync() => Publishing.DisposeAsync();

    private JsonNode Manifest() => JsonNode.Parse(Server.Content.Manifest(Repository, "1.0")!.Bytes.Span)!;

    private static byte[] OciJsonBytes(JsonNode node) => System.Text.Encoding.UTF8.GetBytes(node.ToJsonString());
}

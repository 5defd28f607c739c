using System.Text;
using System.Text.Json.Nodes;
using ImagePublish.Bases;
using ImagePublish.Commands;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Registries;
using ImagePublish.Testing;
using ImagePublish.Tests.Storage;
using MediaTypes = ImagePublish.Oci.MediaTypes;

namespace ImagePublish.Tests.Support;

/// <summary>Two registries and a local store.</summary>
internal sealed class CommandBench : IAsyncDisposable
{
    private readonly RegistryBench here;

    private CommandBench(RegistryBench here, TestRegistry other) => (this.here, Other) = (here, other);

    public static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public TestRegistry Server => here.Server;

    public TestRegistry Other { get; }

    public TestStore Kept { get; } = new();

    public RegistryClient Client => here.Client;

    public TestLog Log => here.Log;

    public ImageCopier Copier => new(Client, Kept.Store);

    public static async Task<CommandBench> StartAsync(Action<TestRegistryOptions>? other = null) =>
        new(await RegistryBench.StartAsync(), await TestRegistry.StartAsync(other, Cancel));

    public static RegistryImage At(TestRegistry registry, string name) => new(Reference.Parse($"{registry.Host}/{name}"));

    public static Repository In(TestRegistry registry, string name) => Repository.Create(Registry.Parse(registry.Host), name);

    public Task<CopyResult> CopyAsync(ImageSource source, params Repository[] destinations) =>
        Copier.CopyAsync(new CopyRequest(source, destinations, "acme/shop", [Tag.Parse("v1")]), Cancel);

    /// <summary>Removes a tag of the first registry, with its image and what is attached to it.</summary>
    public async Task RemoveAsync(string name)
    {
        var pruner = new TagPruner(Client, Kept.Store, TimeProvider.System);
        var plan = await pruner.PlanAsync(Reference.Parse($"{Server.Host}/{name}"), Cancel);
        await pruner.RemoveAsync(plan, Cancel);
    }

    /// <summary>Puts a small image into the store.</summary>
    public async Task<Descriptor> PutAsync(string name, params string[] layers)
    {
        var manifest = await Kept.PutImageAsync("amd64", layers);
        await Kept.Store.SetReferenceAsync(name, manifest, Cancel);
        return manifest;
    }

    /// <summary>Attaches a small artifact to a manifest, without a client.</summary>
    public static string Attach(TestRegistry registry, string repository, string subject, string text, string? tag = null)
    {
        var layer = registry.Content.PutBlob(repository, Encoding.UTF8.GetBytes(text));
        var empty = registry.Content.PutBlob(repository, "{}"u8);
        var manifest = new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = MediaTypes.OciManifest,
            ["artifactType"] = "application/vnd.example.sbom",
            ["config"] = new JsonObject
            {
                ["mediaType"] = "application/vnd.oci.empty.v1+json",
                ["digest"] = empty,
                ["size"] = 2,
            },
            ["layers"] = new JsonArray(
                new JsonObject
                {
                    ["mediaType"] = "text/plain",
                    ["digest"] = layer,
                    ["size"] = Encoding.UTF8.GetByteCount(text),
                }
            ),
            ["subject"] = new JsonObject
            {
                ["mediaType"] = MediaTypes.OciIndex,
                ["digest"] = subject,
                ["size"] = 1,
            },
        };
        return registry.Content.PutManifest(repository, tag, Encoding.UTF8.GetBytes(manifest.ToJsonString()), MediaTypes.OciManifest);
    }

    public static Task<ImagePublishException> FailsAsync(DiagnosticCode code, Func<Task> act) => RegistryBench.FailsAsync(code, act);

    public async ValueTask DisposeAsync()
    {
        await here.DisposeAsync();
        await Other.DisposeAsync();
        Kept.Dispose();
    }
}

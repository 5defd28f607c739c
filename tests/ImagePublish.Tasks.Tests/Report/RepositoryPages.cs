using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using ImagePublish.Commands;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Publishing;
using ImagePublish.Registries;
using ImagePublish.Registries.Auth.Credentials;
using ImagePublish.Registries.Connection;
using ImagePublish.Reporting.Page;
using ImagePublish.Repositories;
using ImagePublish.Storage;
using ImagePublish.Tasks.Tests.Support;
using ImagePublish.Testing;

namespace ImagePublish.Tasks.Tests.Report;

/// <summary>The pages of repositories of 40 versions, of 5,000, and of three on a base that moved, and what a browser saw of
/// them.</summary>
public sealed class RepositoryPages : IAsyncLifetime, IPublishLog, ICredentialSource
{
    private const string Hostile = "</script><b>\u202eshop";

    private readonly TemporaryFolder folder = new();

    public JsonElement Seen { get; private set; }

    public long LargeSize { get; private set; }

    /// <summary>Screenshots; kept where <c>IMAGEPUBLISH_PICTURES</c> says, to be looked at.</summary>
    private string Pictures => Environment.GetEnvironmentVariable("IMAGEPUBLISH_PICTURES") ?? folder["pictures"];

    public async ValueTask InitializeAsync()
    {
        await using var registry = await TestRegistry.StartAsync(null, CancellationToken.None);
        Directory.CreateDirectory(Pictures);
        SeedSmall(registry);
        registry.SeedHistory("acme/large", versions: 5000);
        var small = Path.Combine(Pictures, "repository.html");
        var large = Path.Combine(Pictures, "large-repository.html");
        var moved = Path.Combine(Pictures, "moved-repository.html");
        registry.SeedVersionsOnMovedBase("acme/moved");
        await WriteAsync(registry, "acme/shop", small);
        await WriteAsync(registry, "acme/large", large);
        await WriteAsync(registry, "acme/moved", moved, withDrift: true);
        LargeSize = new FileInfo(large).Length;
        Seen = await Browser.DriveAsync(folder["browser"], "drive-repository.mjs", small, large, moved, Pictures);
    }

    public ValueTask DisposeAsync()
    {
        folder.Dispose();
        return ValueTask.CompletedTask;
    }

    void IPublishLog.Warning(DiagnosticCode code, string message) => throw new InvalidOperationException(message);

    void IPublishLog.Information(string message) { }

    void IPublishLog.Detail(string message) { }

    ValueTask<Credential?> ICredentialSource.FindAsync(Registry registry, string? repository, CancellationToken ct) =>
        ValueTask.FromResult<Credential?>(null);

    private static void SeedSmall(TestRegistry registry)
    {
        var digests = registry.SeedHistory("acme/shop", versions: 40, real: 3);
        registry.Content.Tag("acme/shop", "1.3", digests[^1]);
        registry.Content.Tag("acme/shop", $"{digests[^1].Replace(':', '-')}.sig", digests[0]);
        registry.SeedIndex("acme/shop", "multi");
        registry.SeedChart("acme/shop", "chart");
        registry.Content.PutManifest("acme/shop", "broken", "{}"u8, ImagePublish.Oci.MediaTypes.OciManifest);
        var config = Seeding.ConfigOf("amd64");
        config["config"]!["Labels"] = new JsonObject { [Hostile] = Hostile };
        registry.SeedImage("acme/shop", "hostile", [Seeding.LayerOf((Hostile, Encoding.UTF8.GetString("x"u8)))], config);
    }

    private async Task WriteAsync(TestRegistry server, string repository, string path, bool withDrift = false)
    {
        var store = ImageStore.Open(folder["store"], new StoreOptions());
        using var registries = new RegistryClient(new RegistryClientOptions(), this, this, TimeProvider.System);
        var context = new PublishContext(registries, store, this);
        var contents = await new RepositoryReader(context).ReadAsync(
            new RegistryRepository(context, Repository.Create(Registry.Parse(server.Host), repository)),
            new RepositoryQuery(Glob.All, Limit: 0) { Files = 3, Drift = withDrift ? image => image : null },
            CancellationToken.None
        );
        await File.WriteAllBytesAsync(path, RepositoryPage.Write(contents, DateTimeOffset.UnixEpoch, withDrift));
    }
}

using System.Text;
using ImagePublish.Bases;
using ImagePublish.Commands;
using ImagePublish.Oci;
using ImagePublish.Storage;
using ImagePublish.Tasks.Tests.EndToEnd;
using ImagePublish.Tasks.Tests.Support;
using ImagePublish.Tasks.Tests.Registries;

namespace ImagePublish.Tasks.Tests.Commands;

/// <summary>
/// Manifests of both families, written by skopeo, through the store and an archive and back: skopeo and Docker read what comes out.
/// </summary>
public sealed class ManifestFormatTests(Peers peers) : IDisposable
{
    private readonly TemporaryFolder folder = new();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("10.0", MediaTypes.OciIndex)]
    [InlineData("10.0-docker", MediaTypes.DockerManifest)]
    public async Task AnImageKeepsItsDigestThroughTheStoreAndBack(string tag, string mediaType)
    {
        var registry = await peers.RegistryAsync();
        var source = Repository.Create(Registry.Parse(registry.Host), "dotnet/runtime-deps").ReferenceTo(Tag.Parse(tag));
        var target = Repository.Create(Registry.Parse(registry.Host), $"families/{tag}");
        var store = ImageStore.Open(folder["store"], new StoreOptions());
        using var client = RegistryWork.Client();
        var copier = new ImageCopier(client, store);

        var kept = await copier.CopyAsync(new CopyRequest(new RegistryImage(source), [], "acme/family", [Tag.Parse(tag)]), Cancelled);
        var exporter = new ImageExporter(client, store);
        await exporter.ArchiveAsync(
            new StoreImage($"acme/family:{tag}"),
            [$"acme/family:{tag}"],
            new Platform("linux", "amd64"),
            folder["family.tar"],
            Cancelled
        );
        await copier.CopyAsync(
            new CopyRequest(new ArchivedImage(folder["family.tar"], $"acme/family:{tag}"), [target], "acme/family", [Tag.Parse("back")]),
            Cancelled
        );

        Assert.Equal(mediaType, kept.Root.MediaType);
        Assert.Equal(
            kept.Root.Digest,
            Digest.Compute(Encoding.UTF8.GetBytes(await Skopeo.InspectAsync($"{target}:back", Cancelled, "--raw")))
        );
        var docker = await peers.DockerAsync();
        await docker.PullAsync($"{target}:back", Cancelled);
        await docker.LoadAsync(folder["family.tar"], Cancelled);
        var pulled = await docker.InspectAsync($"{target}:back", Cancelled);
        Assert.Equal(
            pulled.GetProperty("Id").GetString(),
            (await docker.InspectAsync($"acme/family:{tag}", Cancelled)).GetProperty("Id").GetString()
        );
    }

    public void Dispose() => folder.Dispose();
}

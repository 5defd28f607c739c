using System.Text;
using ImagePublish.Attachments;
using ImagePublish.Destinations;
using ImagePublish.Oci;
using ImagePublish.Publishing;
using ImagePublish.Registries;
using ImagePublish.Storage;
using ImagePublish.Tasks.Tests.Support;
using static ImagePublish.Tasks.Tests.Registries.RegistryWork;

namespace ImagePublish.Tasks.Tests.Registries;

/// <summary>Jobs that attach to one image at once, in CNCF distribution, which has no referrers API and no condition for a PUT.</summary>
public sealed class SixteenJobsTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task NothingIsLost()
    {
        await using var registry = await DockerRegistry.StartAsync(Cancelled);
        var target = Target(registry.Host);
        var (blobs, image) = Image(sizes: [1000]);
        using (var client = Client())
            await PushAsync(client, target, blobs, image);

        var attached = await Task.WhenAll(Enumerable.Range(0, 16).Select(number => Task.Run(() => AttachAsync(target, image, number))));

        using var reader = Client();
        var listed = await ReferrersTag.ListAsync(reader, target.Repository, image.Descriptor.Digest, Cancelled);
        Assert.Equal(
            attached.Select(digest => digest.Value).Order(StringComparer.Ordinal),
            listed.Select(entry => entry.Digest.Value).Order(StringComparer.Ordinal)
        );
    }

    // As a job on a machine of its own: with a store and a client that share nothing. A registry that writes a file while another
    // request reads it may deny a blob that it has: the destination sends it again.
    private static async Task<Digest> AttachAsync(Reference target, MemoryBlobSource image, int number)
    {
        using var folder = new TemporaryFolder();
        using var client = Client();
        var locations = new StoredBlobLocations(new LayerCache(ImageStore.Open(folder.Path, new StoreOptions())));
        await using var destination = new RegistryDestination(client, locations, target.Repository, Cancelled);
        var statement = MemoryBlobSource.Create(AttachmentTypes.InToto, Encoding.UTF8.GetBytes($"statement {number}"));
        var attachment = AttachedManifest.CreateAttestation(image.Descriptor, [new Statement("https://example.test/claim", statement)]);
        await AttestationStep.PutAsync(destination, attachment);
        await destination.AttachAsync(image.Descriptor, [ReferrerEntry.Create(attachment.Manifest)]);
        return attachment.Manifest.Descriptor.Digest;
    }
}

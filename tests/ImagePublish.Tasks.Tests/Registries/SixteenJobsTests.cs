using System.Text;
using ImagePublish.Attachments;
using ImagePublish.Oci;
using ImagePublish.Registries;
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

    // As a job on a machine of its own: with a client that shares nothing.
    private static async Task<Digest> AttachAsync(Reference target, MemoryBlobSource image, int number)
    {
        using var client = Client();
        var statement = MemoryBlobSource.Create(AttachmentTypes.InToto, Encoding.UTF8.GetBytes($"statement {number}"));
        var attachment = AttachedManifest.CreateAttestation(image.Descriptor, [new Statement("https://example.test/claim", statement)]);
        foreach (var blob in attachment.Blobs)
            await client.PushBlobAsync(target.Repository, blob, Cancelled);
        var digest = attachment.Manifest.Descriptor.Digest;
        await client.PushManifestAsync(target.Repository.ReferenceTo(digest), attachment.Manifest, Cancelled);
        await new ReferrersWriter(client, target.Repository).AttachAsync(
            image.Descriptor.Digest,
            [ReferrerEntry.Create(attachment.Manifest)],
            ReferrersSupport.Unknown,
            Cancelled
        );
        return digest;
    }
}

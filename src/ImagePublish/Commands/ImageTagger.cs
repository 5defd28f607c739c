using ImagePublish.Bases;
using ImagePublish.Common;
using ImagePublish.Destinations;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Registries;
using ImagePublish.Storage;
using ImagePublish.Storage.Archives;

namespace ImagePublish.Commands;

/// <summary>An image that got tags.</summary>
internal sealed record TagResult(string Repository, Descriptor Image, IReadOnlyList<TagMove> Moves);

/// <summary>A tag that points at an image now.</summary>
internal sealed record TagMove(Tag Tag, Digest? Before);

/// <summary>Gives images further tags, without building or copying anything.</summary>
internal sealed class ImageTagger(RegistryClient registries, ImageStore store)
{
    /// <summary>Tags an image where it is.</summary>
    /// <exception cref="ImagePublishException"><c>IMG1007</c>: archives can't be tagged; <c>IMG3105</c>,
    /// <c>IMG4006</c>: there is no such image; or what the destination fails with.</exception>
    public Task<TagResult> TagAsync(ImageSource source, IReadOnlyList<Tag> tags, bool dryRun, CancellationToken cancellationToken) =>
        source switch
        {
            RegistryImage remote => TagAsync(remote.Reference, tags, dryRun, cancellationToken),
            StoreImage stored => TagAsync(stored.Name, tags, dryRun, cancellationToken),
            _ => throw new ImagePublishException(
                DiagnosticCodes.InvalidValue,
                $"ImageSource has the value '{Text.Sanitize(source.ToString()!)}': only images of a registry or of the local store can be "
                    + "tagged. Copy it to one of them with CopyImage."
            ),
        };

    private async Task<TagResult> TagAsync(Reference reference, IReadOnlyList<Tag> tags, bool dryRun, CancellationToken cancellationToken)
    {
        var manifest = (await registries.GetManifestAsync(reference, cancellationToken)).Content;
        var before = await Task.WhenAll(
            tags.Select(tag => registries.FindManifestAsync(reference.Repository.ReferenceTo(tag), cancellationToken))
        );
        Tag[] moved = [.. tags.Zip(before).Where(one => one.Second?.Digest != manifest.Descriptor.Digest).Select(one => one.First)];
        if (!dryRun)
            await Tagging.MakeAsync(
                RegistryDestination.CreateTagChanges(registries, reference.Repository, manifest, moved),
                cancellationToken
            );
        return new TagResult(
            reference.Repository.ToString(),
            manifest.Descriptor,
            [.. tags.Zip(before, (tag, old) => new TagMove(tag, old?.Digest))]
        );
    }

    private async Task<TagResult> TagAsync(string name, IReadOnlyList<Tag> tags, bool dryRun, CancellationToken cancellationToken)
    {
        var repository = StoreNames.Repository(name);
        if (dryRun)
        {
            var stored = await store.LoadAsync(name, cancellationToken) ?? throw LocalImages.NotInStore(store, name);
            var now = await Task.WhenAll(tags.Select(tag => store.FindReferenceAsync($"{repository}:{tag}", cancellationToken)));
            return new TagResult(repository, stored.Root.Descriptor, [.. tags.Zip(now, (tag, old) => new TagMove(tag, old?.Digest))]);
        }

        string[] names = [.. tags.Select(tag => $"{repository}:{tag}")];
        TagResult? result = null;
        await Tagging.MakeAsync([new TagChange(names, MoveAsync)], cancellationToken);
        return result!;

        async Task MoveAsync(CancellationToken cancelled)
        {
            var (image, before) = await store.CopyReferenceAsync(name, names, cancelled) ?? throw LocalImages.NotInStore(store, name);
            result = new TagResult(repository, image, [.. tags.Zip(before, (tag, old) => new TagMove(tag, old?.Digest))]);
        }
    }

    private TagChanges Tagging => new(NameChange.Tagged, registries.Log, registries.Time);
}

using ImagePublish.Bases;
using ImagePublish.Commands;
using ImagePublish.Oci;
using ImagePublish.Publishing;
using ImagePublish.Storage;

namespace ImagePublish.Repositories;

/// <summary>A repository that is read: its tags, and what they point at.</summary>
internal abstract class RepositorySource
{
    public abstract string Name { get; }

    /// <summary>Where it is; null for the local store.</summary>
    public virtual Repository? Repository => null;

    public abstract Task<IReadOnlyList<Tag>> ListTagsAsync(CancellationToken cancellationToken);

    /// <summary>What a tag points at; null where it is gone.</summary>
    public abstract Task<Descriptor?> FindAsync(Tag tag, CancellationToken cancellationToken);

    /// <summary>Opens what a tag points at; null where it is gone.</summary>
    public abstract Task<IImageContent?> OpenAsync(Descriptor root, CancellationToken cancellationToken);
}

/// <summary>A repository of a registry. What has a digest is asked for once, and then in the local store.</summary>
internal sealed class RegistryRepository(PublishContext context, Repository repository) : RepositorySource
{
    private IReadOnlySet<string>? tags;

    public override string Name => repository.ToString();

    public override Repository Repository => repository;

    public override async Task<IReadOnlyList<Tag>> ListTagsAsync(CancellationToken cancellationToken)
    {
        var all = await context.Registries.ListTagsAsync(repository, cancellationToken).ToListAsync(cancellationToken);
        tags = all.Select(tag => tag.Value).ToHashSet(StringComparer.Ordinal);
        return all;
    }

    public override Task<Descriptor?> FindAsync(Tag tag, CancellationToken cancellationToken) =>
        context.Registries.FindManifestAsync(repository.ReferenceTo(tag), cancellationToken);

    public override async Task<IImageContent?> OpenAsync(Descriptor root, CancellationToken cancellationToken) =>
        await context.Documents.FindAsync(repository.ReferenceTo(root.Digest), cancellationToken) is { } document
            ? new RegistryContent(context.Registries, context.Documents, repository, document) { KnownTags = tags }
            : null;
}

/// <summary>The images of the local store that have one name.</summary>
internal sealed class StoreRepository(ImageStore store, string name) : RepositorySource
{
    private readonly Dictionary<Tag, Descriptor> images = [];
    private ILookup<Digest, Descriptor> attached = Array.Empty<Descriptor>().ToLookup(one => one.Digest);

    public override string Name => name;

    public override async Task<IReadOnlyList<Tag>> ListTagsAsync(CancellationToken cancellationToken)
    {
        var entries = (await store.Index.ReadAsync(cancellationToken)).Manifests;
        attached = entries
            .Where(entry => StoredAttachments.SubjectOf(entry) is not null)
            .ToLookup(entry => StoredAttachments.SubjectOf(entry)!, StoredAttachments.Strip);
        foreach (var entry in entries.Where(entry => StoredAttachments.SubjectOf(entry) is null))
        {
            if (
                ReferenceNames.Read(entry) is { } reference
                && StoreNames.Repository(reference) == name
                && Tag.TryParse(StoreNames.Tag(reference), out var tag)
            )
                images[tag] = ReferenceNames.Strip(entry);
        }

        return [.. images.Keys];
    }

    public override Task<Descriptor?> FindAsync(Tag tag, CancellationToken cancellationToken) =>
        Task.FromResult(images.GetValueOrDefault(tag));

    public override async Task<IImageContent?> OpenAsync(Descriptor root, CancellationToken cancellationToken) =>
        new Content(store, await store.ReadAsync(root, OciJson.MaxManifestSize, cancellationToken), attached);

    private sealed class Content(ImageStore store, MemoryBlobSource root, ILookup<Digest, Descriptor> attached) : IImageContent
    {
        public MemoryBlobSource Root => root;

        // Of an index not every platform need be there.
        public async Task<MemoryBlobSource?> TryReadAsync(Descriptor document, CancellationToken cancellationToken) =>
            store.FindWithoutTouch(document) is null ? null : await store.ReadAsync(document, OciJson.MaxManifestSize, cancellationToken);

        public BlobSource Blob(Descriptor descriptor) => store.FindWithoutTouch(descriptor) ?? throw store.Missing(descriptor, null);

        public Task<IReadOnlyList<Attachment>> AttachmentsAsync(Digest subject, CancellationToken cancellationToken) =>
            Task.FromResult<IReadOnlyList<Attachment>>([.. attached[subject].Select(one => new Attachment(one, null))]);
    }
}

using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;

namespace ImagePublish.Storage;

/// <summary>The local store: an OCI image layout that many processes may use at once, and that skopeo, podman and oras read as
/// <c>oci:folder:name</c>.</summary>
/// <remarks>
/// <see href="https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md">image-spec, Image Layout</see>. Blobs are found by
/// their digest, written beside and moved into place, so they need no lock; the list of images is changed under one. An image is listed
/// only when all of its content is there.
/// </remarks>
internal sealed class ImageStore
{
    private readonly StoreDisk disk;
    private readonly StoreIndexFile index;

    private ImageStore(StoreDisk disk)
    {
        this.disk = disk;
        index = new StoreIndexFile(disk);
        Records = new CacheRecords(disk);
    }

    public string Folder => disk.Layout.Folder;

    public CacheRecords Records { get; }

    internal StoreDisk Disk => disk;

    internal StoreIndexFile Index => index;

    /// <summary>Opens a store and makes it one if the folder is none yet.</summary>
    /// <exception cref="ImagePublishException"><c>IMG3101</c>: the folder can't be created; <c>IMG3103</c>: it is of another
    /// kind.</exception>
    public static ImageStore Open(string folder, StoreOptions options)
    {
        var disk = new StoreDisk(new StoreLayout(Path.GetFullPath(folder)), options);
        disk.Claim();
        LayoutMarker.Ensure(disk);
        return new ImageStore(disk);
    }

    /// <summary>Finds a blob, and notes that it was used: it will not be pruned for the grace period.</summary>
    /// <exception cref="ImagePublishException"><c>IMG3103</c>: its file is a link.</exception>
    public FileBlobSource? FindBlob(Descriptor descriptor)
    {
        var blob = FindWithoutTouch(descriptor);
        return blob is not null && disk.Touch(blob.Path) ? blob : null;
    }

    /// <summary>Begins a new blob.</summary>
    /// <exception cref="ImagePublishException"><c>IMG3101</c>: the disk refuses.</exception>
    public BlobWriter CreateBlob() => new(disk, verifies: true);

    /// <summary>Begins a new blob that is digested as it is made: the same bytes are not hashed a second time to compare.</summary>
    /// <exception cref="ImagePublishException"><c>IMG3101</c>: the disk refuses.</exception>
    internal BlobWriter CreateDigestedBlob() => new(disk, verifies: false);

    /// <summary>Puts a small blob into the store, unless it is there.</summary>
    /// <exception cref="ImagePublishException"><c>IMG4005</c>: the bytes are not the blob's; <c>IMG3101</c>: the disk refuses.</exception>
    public Task<FileBlobSource> PutAsync(MemoryBlobSource blob, CancellationToken cancellationToken) =>
        PutAsync((BlobSource)blob, cancellationToken);

    /// <summary>Streams a blob into the store, unless it is there, and verifies it.</summary>
    /// <exception cref="ImagePublishException"><c>IMG4005</c>: the bytes are not the blob's; <c>IMG3101</c>: the disk refuses; or what the
    /// source fails with.</exception>
    public async Task<FileBlobSource> PutAsync(BlobSource blob, CancellationToken cancellationToken)
    {
        if (FindBlob(blob.Descriptor) is { } present)
            return present;
        await using var writer = CreateBlob();
        await using (var content = await blob.OpenAsync(0, cancellationToken))
            await content.CopyToAsync(writer, cancellationToken);
        return await writer.CommitAsync(blob.Descriptor, blob.WrongContent, cancellationToken);
    }

    /// <summary>Opens a blob so that whoever has read it to its end has read what its digest promises.</summary>
    /// <exception cref="ImagePublishException"><c>IMG3104</c>: it is not there; <c>IMG3101</c>: the disk refuses.</exception>
    public Stream OpenVerified(Descriptor descriptor)
    {
        var blob = FindWithoutTouch(descriptor) ?? throw Missing(descriptor, null);
        return new VerifyingStream(disk.Run(blob.Path, Open), descriptor, () => Damaged(blob.Path));

        FileStream Open(string path)
        {
            try
            {
                return new FileStream(
                    path,
                    FileMode.Open,
                    FileAccess.Read,
                    FileShare.Read | FileShare.Delete,
                    bufferSize: 0,
                    FileOptions.Asynchronous | FileOptions.SequentialScan
                );
            }
            catch (FileNotFoundException)
            {
                throw Missing(descriptor, null);
            }
        }
    }

    /// <summary>Reads a small blob whole and verifies it.</summary>
    /// <exception cref="ImagePublishException"><c>IMG3103</c>: it is damaged or too large; <c>IMG3104</c>: it is not there; <c>IMG3101</c>:
    /// the disk refuses.</exception>
    public async Task<MemoryBlobSource> ReadAsync(Descriptor descriptor, int limit, CancellationToken cancellationToken)
    {
        await using var content = OpenVerified(descriptor);
        if (descriptor.Size > limit)
            throw new ImagePublishException(
                DiagnosticCodes.StoreDamaged,
                $"'{disk.Layout.BlobFile(descriptor.Digest)}' has {descriptor.Size} bytes; at most {limit} are allowed for "
                    + $"{Text.Sanitize(descriptor.MediaType)}."
            );
        var bytes = new byte[descriptor.Size];
        await content.ReadExactlyAsync(bytes, cancellationToken);
        if (bytes.Length == 0)
            await content.ReadAtLeastAsync(new byte[1], 1, throwOnEndOfStream: false, cancellationToken);
        return new MemoryBlobSource(descriptor, bytes);
    }

    /// <summary>Names an image of the store.</summary>
    /// <exception cref="ImagePublishException"><c>IMG3104</c>: the store lacks content of it; <c>IMG3103</c>: the list is damaged;
    /// <c>IMG3102</c>, <c>IMG3101</c>.</exception>
    public Task SetReferenceAsync(string name, Descriptor manifest, CancellationToken cancellationToken) =>
        SetReferencesAsync([name], manifest, StoredPlatforms.All, cancellationToken);

    /// <summary>Names an image of the store, with all names at once or none.</summary>
    /// <exception cref="ImagePublishException"><c>IMG3104</c>: the store lacks content of it; <c>IMG3103</c>: the list is damaged;
    /// <c>IMG3102</c>, <c>IMG3101</c>.</exception>
    public async Task SetReferencesAsync(
        IReadOnlyCollection<string> names,
        Descriptor manifest,
        StoredPlatforms platforms,
        CancellationToken cancellationToken
    )
    {
        var entries = names
            .Distinct(StringComparer.Ordinal)
            .Select(name => ReferenceNames.Entry(name, manifest, platforms == StoredPlatforms.Some))
            .ToList();
        if (entries.Count == 0)
            return;
        using var held = await disk.LockAsync(cancellationToken);

        // Under the lock nothing is pruned: what is whole now is whole when it is listed.
        await RequireAsync(entries[0], cancellationToken);
        var list = await index.ReadAsync(cancellationToken);
        var others = list.Manifests.Where(entry =>
            ReferenceNames.Read(entry) is not { } name || !names.Contains(name, StringComparer.Ordinal)
        );
        await index.WriteAsync(list with { Manifests = [.. others, .. entries] }, cancellationToken);
        FindBlob(manifest);
    }

    /// <exception cref="ImagePublishException"><c>IMG3103</c>: the list is damaged; <c>IMG3101</c>: the disk refuses.</exception>
    public async Task<Descriptor?> FindReferenceAsync(string name, CancellationToken cancellationToken)
    {
        var list = await index.ReadAsync(cancellationToken);
        return list.Manifests.FirstOrDefault(entry => ReferenceNames.Read(entry) == name) is { } entry ? ReferenceNames.Strip(entry) : null;
    }

    /// <summary>Gives an image of the store further names, all at once or none. No content is touched.</summary>
    /// <returns>The image, and what the names stood for before; null if the store has no such image.</returns>
    /// <exception cref="ImagePublishException"><c>IMG3104</c>: the store lacks content of it; <c>IMG3103</c>: the list is damaged;
    /// <c>IMG3102</c>, <c>IMG3101</c>.</exception>
    public async Task<(Descriptor Image, IReadOnlyList<Descriptor?> Before)?> CopyReferenceAsync(
        string name,
        IReadOnlyList<string> names,
        CancellationToken cancellationToken
    )
    {
        using var held = await disk.LockAsync(cancellationToken);
        var list = await index.ReadAsync(cancellationToken);
        if (list.Manifests.FirstOrDefault(entry => ReferenceNames.IsMeant(entry, name)) is not { } source)
            return null;
        await RequireAsync(source, cancellationToken);
        var byName = list
            .Manifests.Where(entry => ReferenceNames.Read(entry) is not null)
            .DistinctBy(ReferenceNames.Read)
            .ToDictionary(entry => ReferenceNames.Read(entry)!);
        var others = list.Manifests.Where(entry =>
            ReferenceNames.Read(entry) is not { } known || !names.Contains(known, StringComparer.Ordinal)
        );
        var added = names
            .Distinct(StringComparer.Ordinal)
            .Select(one => ReferenceNames.Entry(one, source, ReferenceNames.HasSomePlatforms(source)));
        await index.WriteAsync(list with { Manifests = [.. others, .. added] }, cancellationToken);
        FindBlob(source);
        return (ReferenceNames.Strip(source), [.. names.Select(byName.GetValueOrDefault)]);
    }

    /// <summary>Removes a name. Its content stays until it is pruned.</summary>
    /// <exception cref="ImagePublishException"><c>IMG3103</c>: the list is damaged; <c>IMG3102</c>, <c>IMG3101</c>.</exception>
    public async Task<bool> RemoveReferenceAsync(string name, CancellationToken cancellationToken)
    {
        using var held = await disk.LockAsync(cancellationToken);
        var list = await index.ReadAsync(cancellationToken);
        Descriptor[] rest = [.. list.Manifests.Where(entry => ReferenceNames.Read(entry) != name)];
        if (rest.Length == list.Manifests.Count)
            return false;
        await index.WriteAsync(list with { Manifests = rest }, cancellationToken);
        return true;
    }

    /// <exception cref="ImagePublishException"><c>IMG3103</c>: the list is damaged; <c>IMG3101</c>: the disk refuses.</exception>
    public async Task<IReadOnlyList<StoredImage>> ListAsync(CancellationToken cancellationToken)
    {
        var list = await index.ReadAsync(cancellationToken);
        var images = new List<StoredImage>();
        foreach (var entry in list.Manifests.Where(entry => StoredAttachments.SubjectOf(entry) is null))
            images.Add(await DescribeAsync(entry, cancellationToken));
        return [.. images.OrderBy(image => image.Name, StringComparer.Ordinal)];
    }

    internal async Task<StoredImage> DescribeAsync(Descriptor entry, CancellationToken cancellationToken)
    {
        var content = await new StoreWalker(this, readConfigs: true).WalkAsync(entry, cancellationToken);
        var whole = content.IsWhole || (await new StoreWalker(this).WalkRequiredAsync(entry, cancellationToken)).IsWhole;
        return new StoredImage(ReferenceNames.Read(entry), ReferenceNames.Strip(entry))
        {
            Platforms = [.. content.Configs.Select(config => config.Platform)],
            Created = content.Configs.Select(config => config.Created).Max(StringComparer.Ordinal),
            Size = content.Reached.Values.Where(blob => !content.Missing.Contains(blob)).Sum(blob => blob.Size),
            LastUsed = new DateTimeOffset(File.GetLastWriteTimeUtc(disk.Layout.BlobFile(entry.Digest)), TimeSpan.Zero),
            IsWhole = whole,
        };
    }

    /// <summary>Begins a publish: what it finds or writes from now on is not pruned before the session is disposed.</summary>
    /// <exception cref="ImagePublishException"><c>IMG3101</c>: the disk refuses; <c>IMG3102</c>: another process keeps the store
    /// locked.</exception>
    public Task<StoreSession> BeginSessionAsync(CancellationToken cancellationToken) => StoreSession.BeginAsync(disk, cancellationToken);

    /// <summary>Removes what is not needed. Nothing that a listed image needs, that a running publish uses, or that was used within the
    /// grace period.</summary>
    /// <exception cref="ImagePublishException"><c>IMG3103</c>: the list is damaged; <c>IMG3102</c>, <c>IMG3101</c>.</exception>
    public Task<PruneResult> PruneAsync(PruneOptions options, CancellationToken cancellationToken) =>
        new StorePrune(this).RunAsync(options, cancellationToken);

    /// <summary>Reads every blob and removes those that are damaged, and then the images that lack content. What can be read of a damaged
    /// list is kept.</summary>
    /// <exception cref="ImagePublishException"><c>IMG3102</c>: another process keeps the store locked; <c>IMG3101</c>: the disk
    /// refuses.</exception>
    public Task<RepairResult> RepairAsync(bool dryRun, CancellationToken cancellationToken) =>
        new StoreRepair(this).RunAsync(dryRun, cancellationToken);

    /// <summary>Keeps the store within a limit, without looking at it more often than needed: once a day, and when so much was written that
    /// it may be above the limit.</summary>
    /// <param name="limit">The bytes that all blobs may have together. Images that have a name are never removed for it.</param>
    /// <exception cref="ImagePublishException"><c>IMG3103</c>: the list is damaged; <c>IMG3102</c>, <c>IMG3101</c>.</exception>
    public async Task<PruneResult?> KeepWithinAsync(long limit, CancellationToken cancellationToken) =>
        disk.Growth.IsPruneDue(disk.Now, limit)
            ? await PruneAsync(
                new PruneOptions
                {
                    MaxSize = limit,
                    TargetSize = limit - (limit / StoreGrowth.LeastShare),
                    KeepImages = true,
                },
                cancellationToken
            )
            : null;

    /// <summary>Every file among the blobs that is named as a digest, links included.</summary>
    internal IEnumerable<(Digest Digest, FileInfo File)> BlobFiles()
    {
        if (!Directory.Exists(disk.Layout.BlobsFolder))
            yield break;
        foreach (var folder in new DirectoryInfo(disk.Layout.BlobsFolder).EnumerateDirectories())
        {
            foreach (var file in folder.EnumerateFiles())
            {
                if (Digest.TryParse($"{folder.Name}:{file.Name}", out var digest))
                    yield return (digest, file);
            }
        }
    }

    internal FileBlobSource? FindWithoutTouch(Descriptor descriptor)
    {
        var path = disk.Layout.BlobFile(descriptor.Digest);
        var file = new FileInfo(path);
        if (!file.Exists)
            return null;

        // A link could show any file of this machine as content of an image.
        if (file.LinkTarget is not null)
            throw new ImagePublishException(
                DiagnosticCodes.StoreDamaged,
                $"'{path}' is a link; blobs must be files. Run the target PruneImages with -p:ImageRepair=true."
            );
        return file.Length == descriptor.Size ? new FileBlobSource(descriptor, path) : null;
    }

    internal ImagePublishException Missing(Descriptor descriptor, string? name) =>
        new(
            DiagnosticCodes.StoreIncomplete,
            $"The local store in '{Folder}' lacks {descriptor.Digest} ({descriptor.Size} bytes)"
                + (name is null ? "" : $" of '{Text.Sanitize(name)}'")
                + ". Publish or copy the image again, or run the target PruneImages with -p:ImageRepair=true."
        );

    /// <summary>Makes sure that all content of an entry is there.</summary>
    /// <exception cref="ImagePublishException"><c>IMG3104</c>: it is not.</exception>
    internal async Task RequireAsync(Descriptor entry, CancellationToken cancellationToken)
    {
        var content = await new StoreWalker(this).WalkRequiredAsync(entry, cancellationToken);
        if (!content.IsWhole)
            throw Missing(content.Damaged.Concat(content.Missing).First(), ReferenceNames.Read(entry));
    }

    private static ImagePublishException Damaged(string path) =>
        new(
            DiagnosticCodes.StoreDamaged,
            $"'{path}' is damaged: its content differs from its digest. Run the target PruneImages with -p:ImageRepair=true, "
                + "then publish again."
        );
}

using ImagePublish.Diagnostics;
using ImagePublish.Oci;

namespace ImagePublish.Storage;

/// <content>The names in a store.</content>
internal sealed partial class ImageStore
{
    /// <summary>Names an image of the store.</summary>
    /// <exception cref="ImagePublishException"><c>IMG3104</c>: the store lacks content of it; <c>IMG3103</c>: the list is damaged; <c>IMG3102</c>, <c>IMG3101</c>.</exception>
    public Task SetReferenceAsync(string name, Descriptor manifest, CancellationToken cancellationToken) =>
        SetReferencesAsync([name], manifest, StoredPlatforms.All, cancellationToken);

    /// <summary>Names an image of the store, with all names at once or none.</summary>
    /// <exception cref="ImagePublishException"><c>IMG3104</c>: the store lacks content of it; <c>IMG3103</c>: the list is damaged; <c>IMG3102</c>, <c>IMG3101</c>.</exception>
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

    /// <summary>Finds what a name stands for.</summary>
    /// <exception cref="ImagePublishException"><c>IMG3103</c>: the list is damaged; <c>IMG3101</c>: the disk refuses.</exception>
    public async Task<Descriptor?> FindReferenceAsync(string name, CancellationToken cancellationToken)
    {
        var list = await index.ReadAsync(cancellationToken);
        return list.Manifests.FirstOrDefault(entry => ReferenceNames.Read(entry) == name) is { } entry ? ReferenceNames.Strip(entry) : null;
    }

    /// <summary>Gives an image of the store further names, all at once or none. No content is touched.</summary>
    /// <returns>The image, and what the names stood for before; null if the store has no such image.</returns>
    /// <exception cref="ImagePublishException"><c>IMG3104</c>: the store lacks content of it; <c>IMG3103</c>: the list is damaged; <c>IMG3102</c>, <c>IMG3101</c>.</exception>
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

    /// <summary>Lists the images, by name.</summary>
    /// <exception cref="ImagePublishException"><c>IMG3103</c>: the list is damaged; <c>IMG3101</c>: the disk refuses.</exception>
    public async Task<IReadOnlyList<StoredImage>> ListAsync(CancellationToken cancellationToken)
    {
        var list = await index.ReadAsync(cancellationToken);
        var images = new List<StoredImage>();
        foreach (var entry in list.Manifests)
            images.Add(await DescribeAsync(entry, cancellationToken));
        return [.. images.OrderBy(image => image.Name, StringComparer.Ordinal)];
    }

    /// <summary>What the store knows of an entry of its list.</summary>
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

    private async Task RequireAsync(Descriptor entry, CancellationToken cancellationToken)
    {
        var content = await new StoreWalker(this).WalkRequiredAsync(entry, cancellationToken);
        if (!content.IsWhole)
            throw Missing(content.Damaged.Concat(content.Missing).First(), ReferenceNames.Read(entry));
    }
}

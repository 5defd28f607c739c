using System.Text.Json;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;

namespace ImagePublish.Storage;

/// <summary>What a repair removed, or would remove.</summary>
internal sealed record RepairResult
{
    /// <summary>The blobs whose content is not what their digest promises, and links among the blobs.</summary>
    public IReadOnlyList<Digest> Blobs { get; init; } = [];

    public IReadOnlyList<string> Images { get; init; } = [];

    /// <summary>Where the list was kept that could not be read as a whole, or null if it could.</summary>
    public string? DamagedList { get; init; }
}

/// <summary>A repair of the store: what is damaged is removed, so that it is fetched or built again.</summary>
internal sealed class StoreRepair(ImageStore store)
{
    private readonly StoreDisk disk = store.Disk;

    public async Task<RepairResult> RunAsync(bool dryRun, CancellationToken cancellationToken)
    {
        using var held = await disk.LockAsync(cancellationToken);
        var (list, damaged) = await SalvageAsync(cancellationToken);
        var blobs = new List<Digest>();
        foreach (var (digest, file) in disk.Run(disk.Layout.BlobsFolder, _ => store.BlobFiles().ToList()))
        {
            if (await IsSoundAsync(digest, file, cancellationToken))
                continue;
            blobs.Add(digest);
            if (!dryRun)
                disk.Run(file.FullName, File.Delete);
        }

        var (whole, incomplete) = await SplitAsync(list, blobs.ToHashSet(), cancellationToken);
        var keptList = damaged ? $"{disk.Layout.IndexFile}.damaged-{disk.Now:yyyyMMddHHmmss}" : null;
        if (!dryRun && (incomplete.Count > 0 || damaged))
        {
            if (keptList is not null)
                disk.Run(keptList, path => File.Copy(disk.Layout.IndexFile, path, overwrite: true));
            await store.Index.WriteAsync(list with { Manifests = whole }, cancellationToken);
        }

        return new RepairResult
        {
            Blobs = blobs,
            Images = [.. incomplete.Select(entry => ReferenceNames.Read(entry) ?? entry.Digest.Value)],
            DamagedList = keptList,
        };
    }

    private async Task<(List<Descriptor> Whole, List<Descriptor> Incomplete)> SplitAsync(
        ImageIndex list,
        HashSet<Digest> damaged,
        CancellationToken cancellationToken
    )
    {
        var (whole, incomplete) = (new List<Descriptor>(), new List<Descriptor>());
        foreach (var entry in list.Manifests)
        {
            var content = await new StoreWalker(store, without: damaged).WalkRequiredAsync(entry, cancellationToken);
            (content.IsWhole ? whole : incomplete).Add(entry);
        }

        return (whole, incomplete);
    }

    private async Task<bool> IsSoundAsync(Digest digest, FileInfo file, CancellationToken cancellationToken)
    {
        if (file.LinkTarget is not null)
            return false;
        try
        {
            await using var content = new FileStream(
                file.FullName,
                FileMode.Open,
                FileAccess.Read,
                FileShare.Read | FileShare.Delete,
                1,
                FileOptions.Asynchronous | FileOptions.SequentialScan
            );
            return await digest.MatchesAsync(content, cancellationToken);
        }
        catch (Exception exception) when (StoreDisk.IsRefusal(exception))
        {
            throw disk.Refused(file.FullName, exception);
        }
    }

    private async Task<(ImageIndex List, bool Damaged)> SalvageAsync(CancellationToken cancellationToken)
    {
        try
        {
            return (await store.Index.ReadAsync(cancellationToken), false);
        }
        catch (ImagePublishException exception) when (exception.Code == DiagnosticCodes.StoreDamaged)
        {
            return (new ImageIndex(Entries(await store.Index.ReadBytesAsync(cancellationToken))) { MediaType = MediaTypes.OciIndex }, true);
        }
    }

    // Each entry by itself: one that is malformed does not take the others with it.
    private static List<Descriptor> Entries(byte[] list)
    {
        var entries = new List<Descriptor>();
        try
        {
            using var document = JsonDocument.Parse(list);
            if (
                document.RootElement.ValueKind != JsonValueKind.Object
                || !document.RootElement.TryGetProperty("manifests", out var manifests)
                || manifests.ValueKind != JsonValueKind.Array
            )
                return entries;
            foreach (var entry in manifests.EnumerateArray())
            {
                try
                {
                    var one = $$"""{"manifests":[{{entry.GetRawText()}}]}""";
                    entries.AddRange(OciJson.ReadIndex(System.Text.Encoding.UTF8.GetBytes(one)).Manifests);
                }
                catch (JsonException) { }
            }
        }
        catch (JsonException) { }

        return entries;
    }
}

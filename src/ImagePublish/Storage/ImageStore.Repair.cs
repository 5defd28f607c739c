using System.Text.Json;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;

namespace ImagePublish.Storage;

/// <content>Mending.</content>
internal sealed partial class ImageStore
{
    /// <summary>Reads every blob and removes those that are damaged, and then the images that lack content. What can be read of a damaged list is kept.</summary>
    /// <exception cref="ImagePublishException"><c>IMG3102</c>: another process keeps the store locked; <c>IMG3101</c>: the disk refuses.</exception>
    public async Task<RepairResult> RepairAsync(bool dryRun, CancellationToken cancellationToken)
    {
        using var held = await disk.LockAsync(cancellationToken);
        var (list, damaged) = await SalvageAsync(cancellationToken);
        var blobs = new List<Digest>();
        foreach (var (digest, file) in disk.Run(disk.Layout.BlobsFolder, _ => BlobFiles().ToList()))
        {
            if (await IsSoundAsync(digest, file, cancellationToken))
                continue;
            blobs.Add(digest);
            if (!dryRun)
                disk.Run(file.FullName, File.Delete);
        }

        var (whole, lacking) = await SplitAsync(list, blobs.ToHashSet(), cancellationToken);
        var keptList = damaged ? $"{disk.Layout.IndexFile}.damaged-{disk.Now:yyyyMMddHHmmss}" : null;
        if (!dryRun && (lacking.Count > 0 || damaged))
        {
            if (keptList is not null)
                disk.Run(keptList, path => File.Copy(disk.Layout.IndexFile, path, overwrite: true));
            await index.WriteAsync(list with { Manifests = whole }, cancellationToken);
        }

        return new RepairResult
        {
            Blobs = blobs,
            Images = [.. lacking.Select(entry => ReferenceNames.Read(entry) ?? entry.Digest.Value)],
            DamagedList = keptList,
        };
    }

    private async Task<(List<Descriptor> Whole, List<Descriptor> Lacking)> SplitAsync(
        ImageIndex list,
        HashSet<Digest> damaged,
        CancellationToken cancellationToken
    )
    {
        var (whole, lacking) = (new List<Descriptor>(), new List<Descriptor>());
        foreach (var entry in list.Manifests)
        {
            var content = await new StoreWalker(this, without: damaged).WalkRequiredAsync(entry, cancellationToken);
            (content.IsWhole ? whole : lacking).Add(entry);
        }

        return (whole, lacking);
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
            return (await index.ReadAsync(cancellationToken), false);
        }
        catch (ImagePublishException exception) when (exception.Code == DiagnosticCodes.StoreDamaged)
        {
            return (new ImageIndex(Entries(await index.ReadBytesAsync(cancellationToken))) { MediaType = MediaTypes.OciIndex }, true);
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

using ImagePublish.Images;
using ImagePublish.Layers;
using ImagePublish.Oci;
using ImagePublish.Storage;

namespace ImagePublish.Publishing.Planning;

/// <summary>Compares the layers above the base, by name; the files of those that differ are read, and nothing else is.</summary>
internal sealed class LayerComparer(ImageStore store)
{
    /// <summary>Compares layers.</summary>
    public async Task<IReadOnlyList<LayerChange>> CompareAsync(Image current, PublishRun run, CancellationToken cancellationToken)
    {
        var old = Above(current, run);
        var changes = new List<LayerChange>();
        foreach (var (content, layer) in run.Contents.Zip(run.Result.Image.Layers.Skip(run.Base.Layers.Count)))
        {
            if (!old.Remove(content.Name, out var before))
                changes.Add(new LayerChange(content.Name, ChangeKind.Added, []));
            else if (before.DiffId == layer.DiffId)
                changes.Add(new LayerChange(content.Name, ChangeKind.Same, []));
            else
                changes.Add(new LayerChange(content.Name, ChangeKind.Changed, await CompareAsync(before, content, cancellationToken)));
        }

        return [.. changes, .. old.Keys.Select(name => new LayerChange(name, ChangeKind.Removed, []))];
    }

    // An image that tells no history was made on a base without one: then its upper layers are known by their place, if it is of the same making.
    private static Dictionary<string, Layer> Above(Image current, PublishRun run)
    {
        var known = ImageComposer.LayerNames(current.Config).Zip(current.Layers).Where(one => one.First is not null).ToList();
        if (known.Count == 0 && IsAlike(current, run))
            known = [.. run.Contents.Select(content => content.Name).Zip<string?, Layer>(current.Layers.TakeLast(run.Contents.Count))];
        return known.DistinctBy(one => one.First).ToDictionary(one => one.First!, one => one.Second);
    }

    private static bool IsAlike(Image current, PublishRun run)
    {
        var (old, now) = (current.Config.RootFs.DiffIds, run.Result.Image.Config.RootFs.DiffIds);
        return old.Count == now.Count && old.Zip(now).Any(one => one.First == one.Second);
    }

    private async Task<IReadOnlyList<FileChange>> CompareAsync(Layer before, LayerInput after, CancellationToken cancellationToken)
    {
        var (old, now) = (
            await LayerFiles.ReadAsync(store.FindBlob(before.Descriptor) ?? before.Source!, before.DiffId, cancellationToken),
            await LayerFiles.ReadAsync(after, cancellationToken)
        );
        return
        [
            .. old
                .Keys.Union(now.Keys)
                .Order(StringComparer.Ordinal)
                .Select(path => Change(path, old.GetValueOrDefault(path), now.GetValueOrDefault(path)))
                .Where(change => change.Kind != ChangeKind.Same),
        ];
    }

    private static FileChange Change(string path, FileState? before, FileState? after) =>
        new(
            path,
            before is null ? ChangeKind.Added
                : after is null ? ChangeKind.Removed
                : before == after ? ChangeKind.Same
                : ChangeKind.Changed,
            before?.Length,
            after?.Length
        );
}

using System.Text;
using ImagePublish.Bases;
using ImagePublish.Diagnostics;
using ImagePublish.Layers;
using ImagePublish.Oci;
using ImagePublish.Packages.Dependencies;
using ImagePublish.Publishing;
using ImagePublish.Storage;

namespace ImagePublish.Rebasing;

/// <summary>
/// Whether an app finds on a new base what it found on the old one. Nothing of the app is read where the new base has all that the old one
/// has; else its layers are, once per machine.
/// </summary>
internal sealed class AppNeeds(ImageStore store, BaseFactsReader reader, IPublishLog log)
{
    private const string Kind = "needs";

    // Counts up when the check finds something more.
    private const int Version = 1;

    /// <summary>What the app lacks on the new base alone; empty for nothing.</summary>
    /// <exception cref="ImagePublishException">A layer can't be had or is damaged.</exception>
    public async Task<IReadOnlyList<string>> FindLackingAsync(
        Image image,
        BaseFacts old,
        BaseFacts newer,
        CancellationToken cancellationToken
    )
    {
        var lost = old.Inventory.LostIn(newer.Inventory);
        if (lost.Count == 0)
            return [];
        log.Detail($"The new base lacks {string.Join(", ", lost)}: it is looked up whether '{image.Digest}' needs that.");
        var key = KeyOf(image, old, newer);
        if (await store.Records.ReadAsync(Kind, key, cancellationToken) is { } known)
            return Encoding.UTF8.GetString(known).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var needs = await ReadNeedsAsync(image, old, cancellationToken);
        var isInvariant = DependencyCheckStep.IsInvariant(image);
        var request = new DependencyCheckRequest { IsMusl = old.Inventory.IsMusl, UsesAspNet = UsesAspNet(old) };
        var before = new DependencyCheck(request, needs, old.Inventory).Findings(isInvariant);
        var lacking = new DependencyCheck(request, needs, newer.Inventory).Findings(isInvariant).Except(before).ToList();
        var record = Encoding.UTF8.GetBytes(string.Join('\n', lacking));
        await store.Records.WriteIfSmallAsync(Kind, key, record, cancellationToken);
        return lacking;
    }

    private static bool UsesAspNet(BaseFacts facts) => facts.Frameworks.ContainsKey("Microsoft.AspNetCore.App");

    private async Task<AppDependencies> ReadNeedsAsync(Image image, BaseFacts old, CancellationToken cancellationToken)
    {
        await using var files = new LayerFileReader(store, log);
        var wanted = new List<(FileInLayer File, LayerEntryInfo Entry)>();
        foreach (var layer in image.Layers.Skip(old.Image.Layers.Count))
        {
            var listing = await reader.ListAsync(layer, cancellationToken);
            for (var index = 0; index < listing.Entries.Count; index++)
            {
                if (listing.Entries[index] is { Kind: LayerEntryInfoKind.File, Length: > 0 } entry && MayNeed(entry))
                    wanted.Add((files.Add(layer, index, entry), entry));
            }
        }

        await files.FetchAsync([.. wanted.Select(one => one.File)], cancellationToken);
        return new AppDependencyReader(image.Platform, old.Inventory.IsMusl).Read(
            wanted.Select(one => EntryOf(one.Entry) with { Content = files.Seekable(one.File) }),
            new HashSet<string>(),
            cancellationToken
        );
    }

    private static LayerEntry EntryOf(LayerEntryInfo entry) => new(entry.Path, LayerEntryKind.File) { Mode = entry.Mode };

    private static bool MayNeed(LayerEntryInfo entry) =>
        entry.Path.EndsWith(".dll", StringComparison.Ordinal)
        || entry.Path.EndsWith(".runtimeconfig.json", StringComparison.Ordinal)
        || OtherArchitectures.MayBeNative(EntryOf(entry));

    private static Digest KeyOf(Image image, BaseFacts old, BaseFacts newer)
    {
        using var key = new DigestBuilder();
        key.Add(Version);
        key.Add([image.Digest.Value, old.Image.ManifestDigest!.Value, newer.Image.ManifestDigest!.Value]);
        return key.ToDigest();
    }
}

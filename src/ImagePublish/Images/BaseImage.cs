using ImagePublish.Oci;

namespace ImagePublish.Images;

/// <summary>The image that an image is built on, for one platform.</summary>
/// <param name="Digest">The digest of what <paramref name="Name"/> points at: the index where there is one; null for
/// <c>scratch</c>.</param>
internal sealed record BaseImage(string Name, Digest? Digest, ImageFormat Format, ImageConfig Config, IReadOnlyList<Layer> Layers)
{
    /// <summary>What the comments of layers in the history begin with that were taken from another image.</summary>
    public const string TakenLayer = "layer of ";

    /// <summary>The digest of the platform's own manifest; null for <c>scratch</c>.</summary>
    public Digest? ManifestDigest { get; init; }

    /// <summary>The other images whose layers are the topmost of <see cref="Layers"/>, one name for each layer.</summary>
    public IReadOnlyList<string> TakenLayers { get; init; } = [];

    /// <summary>This image with all layers of another on top. Those that both begin with are there already, and are not repeated: put on
    /// top once more, they would undo what this image changed. Of the other's config nothing is taken but the history.</summary>
    public BaseImage WithLayersOf(BaseImage other)
    {
        var diffIds = Config.RootFs.DiffIds;
        var shared = diffIds.Zip(other.Config.RootFs.DiffIds).TakeWhile(pair => pair.First == pair.Second).Count();
        var layers = other.Layers.Skip(shared).ToList();
        return this with
        {
            Layers = [.. Layers, .. layers],
            TakenLayers = [.. TakenLayers, .. layers.Select(_ => other.Name)],
            Config = Config with
            {
                RootFs = Config.RootFs with { DiffIds = [.. diffIds, .. layers.Select(layer => layer.DiffId)] },
                History = Config.FindLayerHistory() is null ? null : [.. Config.History ?? [], .. HistoryOf(other).Skip(shared)],
            },
        };
    }

    // Entries without a layer are of the other's config, which is not taken.
    private static IEnumerable<HistoryEntry> HistoryOf(BaseImage other) =>
        (other.Config.FindLayerHistory() ?? [.. other.Layers.Select(_ => new HistoryEntry())]).Select(entry =>
            entry with
            {
                Comment = TakenLayer + other.Name,
            }
        );

    public static BaseImage Scratch(Platform platform, IReadOnlyList<KeyValuePair<string, string>>? environmentVariables = null)
    {
        var config = new ImageConfig(platform.Architecture, platform.Os, new RootFs("layers", []))
        {
            Variant = platform.Variant,
            OsVersion = platform.OsVersion,
            History = [],
            Config = environmentVariables is null or []
                ? null
                : new ExecutionConfig { Env = EnvironmentVariables.Merge([], environmentVariables) },
        };
        return new BaseImage("scratch", null, ImageFormat.Oci, config, []);
    }
}

using ImagePublish.Common;
using ImagePublish.Oci;

namespace ImagePublish.Images;

/// <summary>A layer with the name that the image's history gives it.</summary>
internal sealed record NamedLayer(string Name, Layer Layer);

/// <summary>Composes an image from a base, new layers and the user's settings. Pure: the same arguments give the same bytes.</summary>
internal static class ImageComposer
{
    private const string Producer = "ImagePublish.Tasks";

    public static Image Compose(ImageSpec spec, BaseImage baseImage, IReadOnlyList<NamedLayer> layers, CacheSecret? cacheKey = null) =>
        ComposeWith(LayerProofs.Replace(baseImage.Config.Unknown, layers.Select(layer => layer.Layer), cacheKey), spec, baseImage, layers);

    /// <summary>The same layers on another base, with the proofs that the image has: they are of its layers alone.</summary>
    public static Image Recompose(ImageConfig image, ImageSpec spec, BaseImage baseImage, IReadOnlyList<NamedLayer> layers) =>
        ComposeWith(LayerProofs.Keep(baseImage.Config.Unknown, image), spec, baseImage, layers);

    private static Image ComposeWith(
        IReadOnlyList<JsonField> unknown,
        ImageSpec spec,
        BaseImage baseImage,
        IReadOnlyList<NamedLayer> layers
    )
    {
        var format = spec.Format ?? baseImage.Format;
        var all = baseImage
            .Layers.Concat(layers.Select(layer => layer.Layer))
            .Select(layer => layer with { Descriptor = InFamily(layer.Descriptor, format) })
            .ToList();
        var config = ComposeConfig(spec, baseImage.Config, layers) with { Unknown = unknown };
        var configBlob = MemoryBlobSource.Create(MediaTypes.Config(format), OciJson.Write(config));
        var manifest = new ImageManifest(configBlob.Descriptor, [.. all.Select(layer => layer.Descriptor)])
        {
            MediaType = MediaTypes.Manifest(format),
            Annotations = format == ImageFormat.Oci ? StringMap.Merge(null, spec.Annotations) : null,
        };
        return new Image(MemoryBlobSource.Create(manifest.MediaType, OciJson.Write(manifest)), configBlob, config, all);
    }

    /// <summary>What the layers of an image hold, as far as its history was written by this package.</summary>
    /// <returns>One for each layer, from the bottom up; null for a layer that something else made.</returns>
    public static IReadOnlyList<string?> LayerNames(ImageConfig config)
    {
        const string Prefix = $"{Producer}: ";
        if (config.FindLayerHistory() is not { } entries)
            return new string?[config.RootFs.DiffIds.Count];
        return
        [
            .. entries.Select(entry =>
                entry.CreatedBy is { } by && by.StartsWith(Prefix, StringComparison.Ordinal) && !IsTaken(entry) ? by[Prefix.Length..] : null
            ),
        ];
    }

    /// <summary>The layers that an image was given whole from others, as far as its history says: the image that each was taken from, and
    /// what it is.</summary>
    public static IReadOnlyList<(string Image, Digest DiffId)> TakenLayers(ImageConfig config) =>
        [
            .. (config.FindLayerHistory() ?? [])
                .Zip(config.RootFs.DiffIds)
                .Where(pair => IsTaken(pair.First))
                .Select(pair => (pair.First.Comment![BaseImage.TakenLayer.Length..], pair.Second)),
        ];

    private static bool IsTaken(HistoryEntry entry) => entry.Comment?.StartsWith(BaseImage.TakenLayer, StringComparison.Ordinal) == true;

    private static Descriptor InFamily(Descriptor layer, ImageFormat format) =>
        MediaTypes.FormatOf(layer.MediaType) == format
            ? layer
            : layer with
            {
                MediaType = MediaTypes.Layer(format, MediaTypes.CompressionOf(layer.MediaType), MediaTypes.IsForeign(layer.MediaType)),
            };

    private static ImageConfig ComposeConfig(ImageSpec spec, ImageConfig baseConfig, IReadOnlyList<NamedLayer> layers)
    {
        var created = Text.Rfc3339(spec.Created);
        return baseConfig with
        {
            Created = created,
            Config = ComposeExecution(spec, baseConfig.Config ?? new ExecutionConfig()),
            RootFs = baseConfig.RootFs with { DiffIds = [.. baseConfig.RootFs.DiffIds, .. layers.Select(layer => layer.Layer.DiffId)] },
            History = ComposeHistory(baseConfig, layers, created),
        };
    }

    // Entries that are not empty must match the layers one by one: the history of a base that has layers but no history can't be continued.
    private static IReadOnlyList<HistoryEntry>? ComposeHistory(ImageConfig baseConfig, IReadOnlyList<NamedLayer> layers, string created) =>
        baseConfig.FindLayerHistory() is null
            ? null
            :
            [
                .. baseConfig.History ?? [],
                .. layers.Select(layer => new HistoryEntry { Created = created, CreatedBy = $"{Producer}: {layer.Name}" }),
            ];

    private static ExecutionConfig ComposeExecution(ImageSpec spec, ExecutionConfig inherited)
    {
        var environment = EnvironmentVariables.Merge(inherited.Env ?? [], spec.EnvironmentVariables);
        var listening = spec.ListensWhereBaseSays ? environment : EnvironmentVariables.Merge([], spec.EnvironmentVariables);
        return inherited with
        {
            User = spec.User ?? DefaultUser(inherited),
            WorkingDir = spec.WorkingDirectory ?? inherited.WorkingDir,
            StopSignal = spec.StopSignal ?? inherited.StopSignal,
            Healthcheck = Inherit(WithProbe(spec, listening), inherited.Healthcheck),
            Entrypoint = spec.Entrypoint
                ?? (spec.CommandStartsApp && inherited.Entrypoint is ["dotnet"] or ["/usr/bin/dotnet"] ? null : inherited.Entrypoint),
            Cmd = NullIfEmpty(spec.Command ?? (spec.Entrypoint is null ? inherited.Cmd : null) ?? []),
            Unknown = spec.Entrypoint is null && spec.Command is null ? inherited.Unknown : WithoutEscapedArgs(inherited.Unknown),
            Env = NullIfEmpty(environment),
            Labels = StringMap.Merge(inherited.Labels, spec.Labels),
            ExposedPorts = NullIfEmpty([
                .. (inherited.ExposedPorts ?? []).Union([.. spec.Ports, .. EnvironmentVariables.Ports(listening)], StringComparer.Ordinal),
            ]),
            Volumes = NullIfEmpty([.. (inherited.Volumes ?? []).Union(spec.Volumes, StringComparer.Ordinal)]),
        };
    }

    private static Healthcheck? WithProbe(ImageSpec spec, IReadOnlyList<string> listening) =>
        spec.Probe is { } probe
            ? (spec.Healthcheck ?? new Healthcheck()) with
            {
                Test = probe.Test(listening, spec.Ports),
            }
            : spec.Healthcheck;

    // As in a Dockerfile, the times that a new check does not name are the old one's.
    private static Healthcheck? Inherit(Healthcheck? own, Healthcheck? inherited) =>
        own is null || inherited is null
            ? own ?? inherited
            : own with
            {
                Interval = own.Interval ?? inherited.Interval,
                Timeout = own.Timeout ?? inherited.Timeout,
                StartPeriod = own.StartPeriod ?? inherited.StartPeriod,
                StartInterval = own.StartInterval ?? inherited.StartInterval,
                Retries = own.Retries ?? inherited.Retries,
            };

    // Microsoft's images name a user without rights in APP_UID but still start as root; the .NET SDK's own publishing uses it, and so do
    // we.
    internal static string? DefaultUser(ExecutionConfig inherited) =>
        string.IsNullOrEmpty(inherited.User) ? EnvironmentVariables.Find(inherited.Env ?? [], "APP_UID") ?? inherited.User : inherited.User;

    // Windows bases set ArgsEscaped. Our commands are never one escaped line, and `docker build` clears it, too.
    private static IReadOnlyList<JsonField> WithoutEscapedArgs(IReadOnlyList<JsonField> fields) =>
        [.. fields.Where(field => field.Name != "ArgsEscaped")];

    private static IReadOnlyList<string>? NullIfEmpty(IReadOnlyList<string> list) => list.Count == 0 ? null : list;

    private static IEnumerable<string> Union(
        this IEnumerable<string> inherited,
        IEnumerable<ExposedPort> ports,
        IEqualityComparer<string> comparer
    ) => inherited.Union(ports.Select(port => port.ToString()), comparer);
}

using System.Runtime.InteropServices;
using ImagePublish.Bases;
using ImagePublish.Commands;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Reporting;
using ImagePublish.Tasks.Shared;
using Microsoft.Build.Framework;

namespace ImagePublish.Tasks.Commands;

/// <summary>Writes what was just published to an archive, and loads it into a container engine or a local cluster.</summary>
public sealed class ExportImage : CommandTask
{
    /// <summary>The published images; the first is written, the others are the same elsewhere.</summary>
    [Required]
    public ITaskItem[] Images { get; set; } = [];

    /// <summary>The image that this one is a variant of; empty for the image itself.</summary>
    public ITaskItem[] VariantOf { get; set; } = [];

    /// <summary>The path of the image's archive; empty for none. A variant's is beside it.</summary>
    public string? Archive { get; set; }

    /// <summary>The engine, and a namespace or a cluster of it; empty for none.</summary>
    public string? Load { get; set; }

    private protected override async Task RunAsync(IPublishLog log, CancellationToken cancellationToken)
    {
        var image = Images[0];
        ImageSource source =
            image.GetMetadata("Registry").Length > 0 ? new RegistryImage(Reference.Parse(image.ItemSpec)) : new StoreImage(image.ItemSpec);
        var repository = RepositoryOf(image);
        string[] names = [.. InputParser.Words(image.GetMetadata("Tags")).Select(tag => $"{repository}:{tag}")];
        var exporter = new ImageExporter(ConnectAsPublisher(source).Registries, OpenStore());
        if (InputParser.Optional(Archive) is { } archive)
        {
            var path = FileOf(FullPath(archive), source is RegistryImage { Reference.Repository.Name: var name } ? name : repository);
            await exporter.ArchiveAsync(source, names, Preferred, path, cancellationToken);
            log.Information($"Wrote {path}: {ByteSize.Show(new FileInfo(path).Length)}");
        }

        if (InputParser.Optional(Load) is { } load)
        {
            var engine = await ContainerEngines.FindAsync(
                EngineEnvironment.ReadChoice(load),
                EngineEnvironment.Settings,
                OpenStore(),
                cancellationToken
            );
            using var owned = engine as IDisposable;
            string[] given = names.Length == 0 && engine.NeedsName ? [image.ItemSpec] : names;
            var loaded = await exporter.LoadAsync(source, given, Preferred, engine, cancellationToken);
            Report(engine, given.Select(engine.NameOf).DefaultIfEmpty(repository), loaded, log);
        }
    }

    private static void Report(IContainerEngine engine, IEnumerable<string> names, LoadedImage image, IPublishLog log)
    {
        var reused = image.KnownBytes > 0 ? $", {ByteSize.Show(image.KnownBytes)} already there" : "";
        var only = image.Only is { } platform ? $"; of its platforms {platform} alone, since {engine.Program} keeps one here" : "";
        log.Information($"Loaded into {engine.Title}: {string.Join(", ", names)} ({ByteSize.Show(image.SentBytes)} sent{reused}){only}");
        log.Detail(image.Output);
    }

    // The image is read back with what it was pushed with.
    private BuildSession ConnectAsPublisher(ImageSource source)
    {
        Repository[] pushed = source is RegistryImage remote ? [remote.Reference.Repository] : [];
        var isOnlyPlace = Images.Select(image => image.GetMetadata("Registry")).Distinct(StringComparer.Ordinal).Count() == 1;
        var published = PublishedRegistries.Of(isOnlyPlace ? pushed : [], null);
        return BuildSession.GetOrCreate(
            BuildEngine4,
            SessionSettings.Read(this, pushed.Select(repository => repository.Registry), [], published)
        );
    }

    // A folder gets a file named after the repository, as the .NET SDK has it.
    private string FileOf(string path, string repository)
    {
        var variant = Images[0].GetMetadata(ImageVariant.Metadata);
        if (!Path.EndsInDirectorySeparator(path) && !Directory.Exists(path))
            return WithSuffix(path, variant);
        var isNamedAlike = VariantOf.Any(image => RepositoryOf(image) == RepositoryOf(Images[0]));
        return WithSuffix(Path.Combine(path, repository + ".tar.gz"), isNamedAlike ? variant : "");
    }

    private static string RepositoryOf(ITaskItem image) => image.ItemSpec.Split('@')[0];

    // shop.tar.gz → shop-debug.tar.gz
    private static string WithSuffix(string path, string variant)
    {
        if (variant.Length == 0)
            return path;
        var end = path.EndsWith(".tar.gz", StringComparison.OrdinalIgnoreCase) ? ".tar.gz".Length : Path.GetExtension(path).Length;
        return $"{path[..^end]}-{variant}{path[^end..]}";
    }

    private static Platform Preferred =>
        new(
            "linux",
            RuntimeInformation.OSArchitecture switch
            {
                Architecture.X64 => "amd64",
                Architecture.X86 => "386",
                var other => other.ToString().ToLowerInvariant(),
            }
        );
}

using ImagePublish.Diagnostics;
using ImagePublish.Layers;
using ImagePublish.Publishing;
using Microsoft.Build.Framework;

namespace ImagePublish.Tasks;

/// <summary>Begins with the layers of large packages as soon as the packages are known, while the project compiles.</summary>
/// <remarks>What is wrong with a setting is told by <see cref="PublishImage"/>, which reads all of them.</remarks>
public sealed class BeginImage : ImageTask
{
    /// <summary>Tells this build of the project from others: the folder of its intermediate files.</summary>
    [Required]
    public string IntermediateDirectory { get; set; } = "";

    /// <summary>The files of packages that a publish copies.</summary>
    public ITaskItem[] PackageFiles { get; set; } = [];

    /// <summary>The image's working directory.</summary>
    public string? WorkingDirectory { get; set; }

    /// <summary>Owner of the app's files.</summary>
    public string? FileOwner { get; set; }

    /// <summary>How layers are compressed.</summary>
    public string? Compression { get; set; }

    /// <summary>How hard.</summary>
    public string? CompressionLevel { get; set; }

    /// <summary>The local store's folder; empty for the user's own.</summary>
    public string? Store { get; set; }

    /// <inheritdoc/>
    protected override Task ExecuteAsync(IEngineLog log, CancellationToken cancellationToken)
    {
        var key = KeyOf(FullPath(IntermediateDirectory));
        if (BuildEngine4.GetRegisteredTaskObject(key, RegisteredTaskObjectLifetime.Build) is not null || ReadDefaults() is not { } defaults || ReadCompression() is not { } compression)
            return Task.CompletedTask;
        var files = PackageFiles.Where(item => item.GetMetadata("NuGetPackageId").Length > 0).Select(item => new PackageFile(PublishItemReader.ReadAsset(item), item.GetMetadata("FullPath"))).ToList();
        var store = Lists.Optional(Store) is { } folder ? FullPath(folder) : null;
        BuildEngine4.RegisterTaskObject(key, HeadStart.Begin(files, defaults, compression, () => StoreFolder.Open(store)), RegisteredTaskObjectLifetime.Build, allowEarlyCollection: false);
        return Task.CompletedTask;
    }

    /// <summary>Takes what was begun for a build of a project.</summary>
    /// <param name="engine">The build.</param>
    /// <param name="intermediateDirectory">The full path of the folder of its intermediate files.</param>
    /// <returns>The head start, which the caller disposes, or null.</returns>
    internal static HeadStart? Take(IBuildEngine4 engine, string intermediateDirectory) =>
        engine.UnregisterTaskObject(KeyOf(intermediateDirectory), RegisteredTaskObjectLifetime.Build) as HeadStart;

    private static string KeyOf(string intermediateDirectory) => $"{typeof(HeadStart).FullName}/{typeof(HeadStart).Module.ModuleVersionId}/{Path.TrimEndingDirectorySeparator(intermediateDirectory)}";

    // Names of owners need the base image, and C:\ has layers of another kind: such a build has no head start.
    private LayerEntryDefaults? ReadDefaults()
    {
        var folder = (Lists.Optional(WorkingDirectory) ?? "/app").Trim('/');
        return Layers.FileOwner.TryParse(Lists.Optional(FileOwner) ?? "0:0", out var owner) && owner.Resolve(Accounts.None, out _) is var (uid, gid)
            ? new LayerEntryDefaults { TargetFolder = folder, Uid = uid, Gid = gid }
            : null;
    }

    private LayerCompression? ReadCompression()
    {
        try
        {
            return PublishRequestReader.ReadCompression(Compression, CompressionLevel);
        }
        catch (ImagePublishException)
        {
            return null;
        }
    }
}

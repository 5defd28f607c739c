using ImagePublish.Bases;
using ImagePublish.Diagnostics;
using ImagePublish.LayerReuse;
using ImagePublish.Layers;
using ImagePublish.Registries;
using ImagePublish.Storage;
using ImagePublish.Tasks.Shared;
using Microsoft.Build.Framework;

namespace ImagePublish.Tasks;

/// <summary>Begins while the project compiles with what needs no compiled project: signs in to the registries that the image goes to, reads
/// the documents of the base image, and builds the layers of packages.</summary>
/// <remarks>Wrong settings are reported by <see cref="PublishImage"/>, which reads all of them.</remarks>
public sealed class BeginImageEarly : RegistryTask, IBaseInputs
{
    /// <summary>The folder of the project's intermediate files, which identifies this build of it.</summary>
    [Required]
    public string IntermediateDirectory { get; set; } = "";

    /// <summary>The files of packages that a publish copies.</summary>
    public ITaskItem[] PackageFiles { get; set; } = [];

    /// <summary>The platform that the image is for, as far as it is known; several, or none, leave out no file.</summary>
    public string RuntimeIdentifier { get; set; } = "";

    /// <summary>The version of .NET that the app is for, such as <c>10.0</c>; empty where the base image is not read early.</summary>
    public string FrameworkVersion { get; set; } = "";

    /// <summary>The version of the SDK.</summary>
    public string? SdkVersion { get; set; }

    /// <summary>Whether the app needs ASP.NET Core.</summary>
    public bool UsesAspNet { get; set; }

    /// <summary>Whether the app brings its own runtime.</summary>
    public bool IsSelfContained { get; set; }

    /// <summary>Whether the app is one file.</summary>
    public bool IsSingleFile { get; set; }

    /// <summary>Whether the app is compiled ahead of time.</summary>
    public bool IsAot { get; set; }

    /// <summary>Whether what the app does not use is left out.</summary>
    public bool IsTrimmed { get; set; }

    /// <summary>Whether the app needs no data of cultures.</summary>
    public bool IsGlobalizationInvariant { get; set; }

    /// <summary>The base image; empty for the one that suits the app.</summary>
    public string? Base { get; set; }

    /// <summary>The family of the base image that suits the app.</summary>
    public string? BaseFamily { get; set; }

    /// <summary>The mirror of Microsoft's registry; empty for that of the environment, if it names one.</summary>
    public string? BaseRegistry { get; set; }

    /// <summary>The lock file; empty for <c>image.lock.json</c> beside the project, if it is there.</summary>
    public string? LockFile { get; set; }

    /// <summary>Whether a lock file that does not fit is an error.</summary>
    public bool LockedMode { get; set; }

    /// <summary>Whether files stay that only other systems can load.</summary>
    public bool KeepOtherPlatforms { get; set; }

    /// <summary>The image's working directory.</summary>
    public string? WorkingDirectory { get; set; }

    /// <summary>Owner of the app's files.</summary>
    public string? FileOwner { get; set; }

    /// <summary>How layers are compressed.</summary>
    public string? Compression { get; set; }

    /// <summary>How hard.</summary>
    public string? CompressionLevel { get; set; }

    /// <summary>The form of the bill of materials; empty or <c>None</c> for none.</summary>
    public string? Sbom { get; set; }

    /// <summary>Images in registries whose layers may be reused; <c>none</c> for no image.</summary>
    public string? CacheFrom { get; set; }

    /// <summary>Repositories whose images are believed.</summary>
    public string? CacheTrust { get; set; }

    internal override string Activity => "The early layer build";

    private protected override Task ExecuteAsync(IPublishLog log, CancellationToken cancellationToken)
    {
        if (BuildTrace.IsOn(this))
            BuildTrace.Enter(this, log);
        var name = NameOf(FullPath(IntermediateDirectory));
        try
        {
            var repositories = Offline ? [] : ImageNames.Repositories(Name, Registry, RepositoryPrefix, Repository, AssemblyName);
            var source = FindBase();
            var session = Connect(repositories, source);
            if (source is not null && PlatformOf(RuntimeIdentifier) is { } platform)
                session.ReadBaseEarly(source, platform, OpenStoreSilently);
            if (PackageFiles.Length > 0 && BuildObjects.Find<EarlyLayerBuild>(BuildEngine4, name) is null && ReadDefaults() is { } defaults)
                BuildObjects.Add(BuildEngine4, name, Start(defaults, session.Registries, repositories));
        }
#pragma warning disable CA1031 // Whatever it is, it must not fail the build.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            // Whatever it is, the publish does it itself, and reports what is wrong with a setting.
            log.Detail($"Not all of the image is begun early: {exception.Message}");
        }

        return Task.CompletedTask;
    }

    // The session is the publish's too.
    private BuildSession Connect(IReadOnlyList<Oci.Repository> repositories, RegistryImage? source)
    {
        var session = BuildSession.GetOrCreate(
            BuildEngine4,
            SessionSettings.Read(
                this,
                repositories.Select(repository => repository.Registry),
                source is null ? [] : [source.Location.Repository.Registry],
                PublishedRegistries.Of(repositories, source)
            )
        );
        foreach (var repository in repositories)
            session.SignInEarly(repository);
        return session;
    }

    // What a lock file pins is asked for by its digest, which is read with the rest of the file.
    private RegistryImage? FindBase()
    {
        try
        {
            var reader = new BaseReader(this);
            return FrameworkVersion.Length > 0 && new LockRequestReader(this).Read() is null
                ? reader.Read(reader.ReadApp(), hasPackages: false) as RegistryImage
                : null;
        }
        catch (ImagePublishException)
        {
            return null;
        }
    }

    string IBaseInputs.ResolvePath(string path) => FullPath(path);

    private ImageStore OpenStoreSilently() =>
        StoreFolder.Open(InputParser.Optional(Store) is { } folder ? FullPath(folder) : null, StoreShared, log: null, BuildEngine4);

    private EarlyLayerBuild Start(LayerEntryDefaults defaults, RegistryClient registries, IReadOnlyList<Oci.Repository> repositories)
    {
        var compression = PublishRequestReader.ReadCompression(Compression, CompressionLevel);
        var files = PackageFiles
            .Where(item => item.GetMetadata("NuGetPackageId").Length > 0 && IsPublished(item))
            .Select(item => new PackageFile(PublishItemReader.ReadAsset(item), item.GetMetadata("FullPath")))
            .ToList();
        // Images that are not believed spare no work: then there is nothing to ask.
        var trust = CacheTrustReader.Read(CacheTrust, verifyReused: false);
        IReadOnlyList<Oci.Repository> believed = CacheTrustReader.ReadSources(CacheFrom) is null
            ? []
            : [.. repositories.Where(trust.MayBelieve)];
        return EarlyLayerBuild.Start(
            new EarlyLayers(files, defaults, compression)
            {
                WithHashes = InputParser.Optional(Sbom) is { } sbom && !sbom.Equals("None", StringComparison.OrdinalIgnoreCase),
            },
            OpenStoreSilently,
            cancelled => EarlyLayerBuild.HaveTagsAsync(registries, believed, cancelled)
        );
    }

    // Packages with PrivateAssets="all", and what only they need, are not published.
    private bool IsPublished(ITaskItem item) =>
        !item.GetMetadata("CopyToPublishDirectory").Equals("false", StringComparison.OrdinalIgnoreCase)
        && !IsForOthers(item.GetMetadata("RuntimeIdentifier"));

    private bool IsForOthers(string identifier) =>
        identifier.Length > 0
        && !KeepOtherPlatforms
        && PlatformOf(RuntimeIdentifier) is { } platform
        && Images.RuntimeIdentifier.IsForeign(identifier, platform);

    private static Oci.Platform? PlatformOf(string? runtimeIdentifier)
    {
        try
        {
            return InputParser.Optional(runtimeIdentifier) is { } text ? Images.RuntimeIdentifier.Parse(text).Platform : null;
        }
        catch (ImagePublishException)
        {
            return null;
        }
    }

    /// <summary>Takes what was begun for a build of a project.</summary>
    internal static EarlyLayerBuild? Take(IBuildEngine4 engine, string intermediateDirectory) =>
        BuildObjects.Take<EarlyLayerBuild>(engine, NameOf(intermediateDirectory));

    private static string NameOf(string intermediateDirectory) => Path.TrimEndingDirectorySeparator(intermediateDirectory);

    // Names of owners need the base image, and C:\ has layers of another kind: no layer is built early then.
    private LayerEntryDefaults? ReadDefaults()
    {
        var folder = (InputParser.Optional(WorkingDirectory) ?? "/app").Trim('/');
        return
            Layers.FileOwner.TryParse(InputParser.Optional(FileOwner) ?? "0:0", out var owner)
            && owner.Resolve(Accounts.None, out _) is var (uid, gid)
            ? new LayerEntryDefaults
            {
                TargetFolder = folder,
                Uid = uid,
                Gid = gid,
            }
            : null;
    }
}

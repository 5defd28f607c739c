using ImagePublish.Tasks.Shared;
using Microsoft.Build.Framework;

namespace ImagePublish.Tasks;

/// <summary>
/// A project's settings of its image, as MSBuild passes them: text and items, not yet parsed. <see cref="PublishRequestReader"/> does that.
/// </summary>
public abstract class PublishImageInputs : PublishTask, IBaseInputs
{
    /// <summary>The folder that ships.</summary>
    public string PublishDirectory { get; set; } = "";

    /// <summary>The publish items, which have the origin of each file.</summary>
    public ITaskItem[] PublishItems { get; set; } = [];

    /// <summary>The folders that packages are restored to.</summary>
    public string[] PackageFolders { get; set; } = [];

    /// <summary>The folders that the build writes to.</summary>
    public string[] BuildFolders { get; set; } = [];

    /// <summary>Published files that became part of the app's executable.</summary>
    public ITaskItem[] MergedItems { get; set; } = [];

    /// <summary><c>Spdx</c>, <c>CycloneDx</c> or <c>None</c>: the bill of materials that is written.</summary>
    public string? Sbom { get; set; }

    /// <summary>Its file; empty for one in <see cref="SbomDirectory"/>.</summary>
    public string? SbomFile { get; set; }

    /// <summary>The folder of the bill of materials where no file is named.</summary>
    public string SbomDirectory { get; set; } = "";

    /// <summary>The statistics of the ahead-of-time compiler; empty where there was none.</summary>
    public string? CompiledAssemblies { get; set; }

    /// <summary>The base image; empty for the one that suits the app.</summary>
    public string? Base { get; set; }

    /// <summary>The family of the base image that suits the app.</summary>
    public string? BaseFamily { get; set; }

    /// <summary>The mirror of Microsoft's registry; empty for that of the environment, if it names one.</summary>
    public string? BaseRegistry { get; set; }

    /// <summary>Whose signatures the base must have: files of keys, certificates, policies, or <c>Microsoft</c>; empty for none.</summary>
    public string? BaseTrust { get; set; }

    /// <summary>Operating system packages below the app.</summary>
    public ITaskItem[] Packages { get; set; } = [];

    /// <summary>Where they come from: an apt source; empty for the machine's own.</summary>
    public string? PackageSource { get; set; }

    /// <summary>Hosts inside this machine or network that a base image's package sources may be on.</summary>
    public string? PackageSourceHosts { get; set; }

    /// <summary>The cache folder of packages; empty for the user's own.</summary>
    public string? PackageCache { get; set; }

    /// <summary>The lock file; empty for <c>image.lock.json</c> beside the project, if it is there.</summary>
    public string? LockFile { get; set; }

    /// <summary>Whether a lock file that does not fit is an error.</summary>
    public bool LockedMode { get; set; }

    /// <summary><c>Auto</c>, <c>Full</c> or <c>Off</c>: how it is checked that the image has the libraries that the app needs.</summary>
    public string? Doctor { get; set; }

    /// <summary>The size that the image may have in a registry, such as <c>250MB</c>; empty for any.</summary>
    public string? MaxSize { get; set; }

    /// <summary>How much larger than the image at the tag it may be: a size, or percents.</summary>
    public string? MaxGrowth { get; set; }

    /// <summary>Patterns of the base images that are allowed; empty for all.</summary>
    public string? AllowedBases { get; set; }

    /// <summary>Labels that the image must have.</summary>
    public string? RequiredLabels { get; set; }

    /// <summary>Whether the app must not run as root.</summary>
    public bool RequireNonRoot { get; set; }

    /// <summary>Patterns of paths in the image that may be there whatever they are.</summary>
    public string? AllowedFiles { get; set; }

    /// <summary><c>Keep</c>, <c>Warn</c> or <c>Omit</c>: what is done about settings for development.</summary>
    public string? DevelopmentSettings { get; set; }

    /// <summary>Whether files stay that only other systems can load.</summary>
    public bool KeepOtherPlatforms { get; set; }

    /// <summary><c>App</c>, <c>Layer</c>, <c>Separate</c> or <c>None</c>: where debug symbols are.</summary>
    public string? Symbols { get; set; }

    /// <summary><c>false</c> leaves out what a self-contained app on <c>scratch</c> needs of the system.</summary>
    public string? DefaultPackages { get; set; }

    /// <summary>The folder that the app is in.</summary>
    public string? WorkingDirectory { get; set; }

    /// <summary>The user that the app runs as.</summary>
    public string? User { get; set; }

    /// <summary>Owner of the app's files, by number or by a name of the base's, <c>0:0</c>.</summary>
    public string? FileOwner { get; set; }

    /// <summary>The signal that asks the app to stop.</summary>
    public string? StopSignal { get; set; }

    /// <summary><c>Auto</c> or <c>Single</c>.</summary>
    public string? Layering { get; set; }

    /// <summary><c>gzip</c>, <c>zstd</c> or <c>none</c>.</summary>
    public string? Compression { get; set; }

    /// <summary>A level of the compression.</summary>
    public string? CompressionLevel { get; set; }

    /// <summary>Images in registries whose layers may be reused; empty for the repository's own tags, <c>none</c> for no image.</summary>
    public string? CacheFrom { get; set; }

    /// <summary>Repositories whose images are trusted to map a layer's diff id to its blob.</summary>
    public string? CacheTrust { get; set; }

    /// <summary>Whether reused layers are read back and compared before a tag moves.</summary>
    public bool VerifyReused { get; set; }

    /// <summary><c>OCI</c> or <c>Docker</c>; empty for the base's.</summary>
    public string? Format { get; set; }

    /// <summary>Environment variables (Value).</summary>
    public ITaskItem[] EnvironmentVariables { get; set; } = [];

    /// <summary>Labels (Value).</summary>
    public ITaskItem[] Labels { get; set; } = [];

    /// <summary>Ports (Protocol).</summary>
    public ITaskItem[] Ports { get; set; } = [];

    /// <summary>Folders whose content outlives the container.</summary>
    public ITaskItem[] Volumes { get; set; } = [];

    /// <summary>Files that are put into the image besides the publish output (TargetPath, Mode, Owner, Layer, From, Path).</summary>
    public ITaskItem[] Files { get; set; } = [];

    /// <summary>Images whose layers are put on top of the base.</summary>
    public ITaskItem[] LayersFrom { get; set; } = [];

    /// <summary>Directories of the image (Mode, Owner, Layer).</summary>
    public ITaskItem[] Directories { get; set; } = [];

    /// <summary>Symbolic links of the image (Target, Layer).</summary>
    public ITaskItem[] Symlinks { get; set; } = [];

    /// <summary>The tags of the index that the image is a part of, where those may not be moved.</summary>
    public string? IndexTags { get; set; }

    /// <summary>The index's tags where none are named.</summary>
    public string? IndexTagPolicy { get; set; }

    /// <summary>Whether the image is one platform's of an index.</summary>
    internal bool IsPartOfIndex => InputParser.Optional(IndexTagPolicy) is not null;

    /// <summary>The .NET SDK's <c>ContainerEntrypoint</c>.</summary>
    public ITaskItem[] ContainerEntrypoint { get; set; } = [];

    /// <summary>The .NET SDK's <c>ContainerEntrypointArgs</c>.</summary>
    public ITaskItem[] ContainerEntrypointArgs { get; set; } = [];

    /// <summary>The .NET SDK's <c>ContainerAppCommand</c>.</summary>
    public ITaskItem[] ContainerAppCommand { get; set; } = [];

    /// <summary>The .NET SDK's <c>ContainerAppCommandArgs</c>.</summary>
    public ITaskItem[] ContainerAppCommandArgs { get; set; } = [];

    /// <summary>The .NET SDK's <c>ContainerDefaultArgs</c>.</summary>
    public ITaskItem[] ContainerDefaultArgs { get; set; } = [];

    /// <summary>The .NET SDK's <c>ContainerAppCommandInstruction</c>.</summary>
    public string? ContainerAppCommandInstruction { get; set; }

    /// <summary>The command that always runs; empty for the app.</summary>
    public ITaskItem[] Entrypoint { get; set; } = [];

    /// <summary>Its arguments, which a user may replace.</summary>
    public ITaskItem[] Command { get; set; } = [];

    /// <summary>How to see that the app is well (Interval, Timeout, StartPeriod, Retries).</summary>
    public ITaskItem[] Healthcheck { get; set; } = [];

    /// <summary>The platform that the app is published for.</summary>
    public string RuntimeIdentifier { get; set; } = "";

    /// <summary>The framework that the app targets, as NuGet's assets name it.</summary>
    public string TargetFramework { get; set; } = "";

    /// <summary>NuGet's <c>project.assets.json</c>.</summary>
    public string? AssetsFile { get; set; }

    /// <summary>The version of MSBuild.</summary>
    public string? MSBuildVersion { get; set; }

    /// <summary>Whether the app uses the ASP.NET shared framework.</summary>
    public bool UsesAspNet { get; set; }

    /// <summary>Whether the app brings its own runtime.</summary>
    public bool IsSelfContained { get; set; }

    /// <summary>Whether the app is one file.</summary>
    public bool IsSingleFile { get; set; }

    /// <summary>Whether the app is compiled ahead of time.</summary>
    public bool IsAot { get; set; }

    /// <summary>Whether what the app does not use was cut away.</summary>
    public bool IsTrimmed { get; set; }

    /// <summary>Whether the app needs no culture data.</summary>
    public bool IsGlobalizationInvariant { get; set; }

    /// <summary><see cref="Files"/> of the image and of all its variants; null where these are all.</summary>
    internal ITaskItem[]? FilesOfAll { get; private set; }

    /// <summary>The variants.</summary>
    /// <exception cref="Diagnostics.ImagePublishException"><c>IMG1007</c>: one can't be, or an item is for one that there is
    /// not.</exception>
    internal IReadOnlyList<ImageVariant> ReadVariants()
    {
        var variants = ImageVariant.Read(Variants);
        foreach (var (kind, items) in VariantItems)
        {
            foreach (var item in items)
            {
                var unknown = ImageVariant
                    .NamesOf(item)
                    .FirstOrDefault(name => !variants.Any(one => string.Equals(one.Name, name, StringComparison.OrdinalIgnoreCase)));
                if (unknown is not null)
                    throw InputParser.Invalid(
                        ItemLocations.Locate(item, kind),
                        $"its {ImageVariant.Metadata} is '{unknown}', and there is no {ImageVariant.Kind} of that name"
                    );
            }
        }

        CheckBelow(Packages, "ImagePackage", "a package is below the app, in every variant");
        CheckBelow(LayersFrom, ItemLocations.Layers, "its layers are below the app, in every variant. Take files with ImageFile and From");
        return variants;
    }

    internal override PublishTask CopyFor(ImageVariant? variant)
    {
        var copy = (PublishImageInputs)base.CopyFor(variant);
        copy.FilesOfAll = Files;
        (copy.Files, copy.Directories, copy.Symlinks) = (Both(Files), Both(Directories), Both(Symlinks));
        copy.EnvironmentVariables = ImageVariant.Merged(EnvironmentVariables, variant);
        copy.Labels = ImageVariant.Merged(Labels, variant);
        copy.Ports = ImageVariant.Merged(Ports, variant);
        copy.Volumes = ImageVariant.Merged(Volumes, variant);
        copy.User = variant?.User ?? User;
        copy.SetProgram(variant);
        return copy;

        ITaskItem[] Both(ITaskItem[] items) => [.. ImageVariant.Common(items), .. ImageVariant.OfOnly(items, variant)];
    }

    private IEnumerable<(string Kind, ITaskItem[] Items)> VariantItems =>
        [
            (ItemLocations.File, Files),
            (ItemLocations.Directory, Directories),
            (ItemLocations.Symlink, Symlinks),
            ("ImageEnvironmentVariable", EnvironmentVariables),
            ("ImageLabel", Labels),
            ("ImageAnnotation", Annotations),
            ("ImagePort", Ports),
            ("ImageVolume", Volumes),
            ("ImageEntrypoint", Entrypoint),
            ("ImageCommand", Command),
            ("ImageHealthcheck", Healthcheck),
        ];

    // What checks the app's health knows nothing of another program.
    private void SetProgram(ImageVariant? variant)
    {
        var entrypoint = variant is { Entrypoint.Length: > 0 } ? variant.Entrypoint : ImageVariant.OfOnly(Entrypoint, variant);
        var command = variant is { Command.Length: > 0 } ? variant.Command : ImageVariant.OfOnly(Command, variant);
        var check = ImageVariant.OfOnly(Healthcheck, variant);
        var isOther = entrypoint.Length + command.Length > 0;
        Healthcheck = check.Length > 0 || isOther ? check : ImageVariant.Common(Healthcheck);
        Command = command.Length > 0 || entrypoint.Length > 0 ? command : ImageVariant.Common(Command);
        Entrypoint = entrypoint.Length > 0 ? entrypoint : ImageVariant.Common(Entrypoint);
    }

    private static void CheckBelow(ITaskItem[] items, string kind, string why)
    {
        if (Array.Find(items, item => ImageVariant.NamesOf(item).Length > 0) is { } item)
            throw InputParser.Invalid(ItemLocations.Locate(item, kind), $"it can't have a {ImageVariant.Metadata}: {why}");
    }

    string IBaseInputs.ResolvePath(string path) => FullPath(path);
}

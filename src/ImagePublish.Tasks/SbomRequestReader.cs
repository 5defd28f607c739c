using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Sboms;
using ImagePublish.Tasks.Shared;
using Microsoft.Build.Framework;

namespace ImagePublish.Tasks;

/// <summary>Reads what bill of materials an image gets.</summary>
internal sealed class SbomRequestReader(PublishImageInputs inputs)
{
    private const string NativeRuntime = "Microsoft.NETCore.App.Runtime.NativeAOT.";

    private readonly SourceFolders folders = new(inputs.PackageFolders.Select(inputs.ResolvePath), []);

    private enum Form
    {
        None,
        Spdx,
        CycloneDx,
    }

    /// <exception cref="ImagePublishException"><c>IMG1007</c>, <c>IMG1072</c>: a setting can't be.</exception>
    public SbomRequest? Read()
    {
        var form = InputParser.Choice(inputs.Sbom, "ImageSbom", Form.None);
        if (form == Form.None)
            return null;
        var format = form == Form.Spdx ? SbomFormat.Spdx : SbomFormat.CycloneDx;
        return new SbomRequest(format, FileOf(format))
        {
            App = new AppFacts(inputs.AssemblyName)
            {
                Version = InputParser.Optional(inputs.Version),
                Licenses = InputParser.Optional(inputs.Licenses),
                Supplier = InputParser.Optional(inputs.Vendor) ?? InputParser.Optional(inputs.Authors),
            },
            Sources =
            [
                .. inputs.PublishItems.Select(item => Read(item, isMerged: false)),
                .. Merged().Select(item => Read(item, isMerged: true)),
            ],
            Graph = InputParser.Optional(inputs.AssetsFile) is { } assets
                ? new PackageGraphFile(
                    inputs.ResolvePath(assets),
                    $"net{inputs.FrameworkVersion}",
                    InputParser.Optional(inputs.RuntimeIdentifier)
                )
                : null,
            PackageFolders = [.. inputs.PackageFolders.Select(inputs.ResolvePath)],
        };
    }

    // Platforms and variants of an image have a file each.
    private string FileOf(SbomFormat format)
    {
        var extension = format == SbomFormat.Spdx ? ".spdx.json" : ".cdx.json";
        var named = InputParser.Optional(inputs.SbomFile);
        var file = inputs.ResolvePath(named ?? Path.Combine(inputs.SbomDirectory, inputs.AssemblyName + extension));
        if (inputs.IsPartOfIndex)
            file = With(inputs.RuntimeIdentifier, file, extension);
        if (inputs.Variant is { } variant)
            file = With(variant.Name, file, extension);
        var folder = Path.TrimEndingDirectorySeparator(inputs.ResolvePath(inputs.PublishDirectory)) + Path.DirectorySeparatorChar;
        return !file.StartsWith(folder, StringComparison.Ordinal)
            ? file
            : throw new ImagePublishException(
                DiagnosticCodes.SbomInPublishFolder,
                $"The SBOM would be written to '{Text.Sanitize(file)}', which is in the publish folder and would be in the next image. "
                    + "Set ImageSbomFile to a path outside of it."
            );
    }

    // What a compiler was given and took nothing of is not in the image.
    private IEnumerable<ITaskItem> Merged()
    {
        var used = InputParser.Optional(inputs.CompiledAssemblies) is { } statistics
            ? CompiledAssemblies.TryRead(inputs.ResolvePath(statistics))
            : null;
        return inputs.MergedItems.Where(item => used?.Contains(item.GetMetadata("Filename")) != false);
    }

    private static string With(string part, string file, string extension)
    {
        var ending = file.EndsWith(extension, StringComparison.OrdinalIgnoreCase) ? extension : Path.GetExtension(file);
        return $"{file[..^ending.Length]}.{part}{file[^ending.Length..]}";
    }

    private SourceFile Read(ITaskItem item, bool isMerged) =>
        new(item.GetMetadata("RelativePath").Replace('\\', '/'))
        {
            Package = PackageOf(item) ?? (isMerged ? NativeRuntimeOf(item) : null),
            Project = ProjectOf(item),
            IsMerged = isMerged,
        };

    private static NuGetPackage? PackageOf(ITaskItem item) =>
        item.GetMetadata("NuGetPackageId") is { Length: > 0 } id && item.GetMetadata("NuGetPackageVersion") is { Length: > 0 } version
            ? new NuGetPackage(id, version)
            : null;

    // The assemblies of a native program's runtime are known by their paths alone, and folders of packages have small letters.
    private NuGetPackage? NativeRuntimeOf(ITaskItem item) =>
        folders.PackageOf(item.GetMetadata("FullPath")) is var (id, version)
        && id.StartsWith(NativeRuntime, StringComparison.OrdinalIgnoreCase)
            ? new NuGetPackage(NativeRuntime + id[NativeRuntime.Length..], version)
            : null;

    private static string? ProjectOf(ITaskItem item) =>
        InputParser.Optional(item.GetMetadata("MSBuildSourceProjectFile")) is { } project
        && item.GetMetadata("ReferenceSourceTarget") == "ProjectReference"
            ? Path.GetFileNameWithoutExtension(project)
            : null;
}

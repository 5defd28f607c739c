using ImagePublish.Bases;
using ImagePublish.Images;
using ImagePublish.Oci;
using ImagePublish.Tasks.Shared;

namespace ImagePublish.Tasks;

/// <summary>Reads which base image suits the app, or which one the project names.</summary>
internal sealed class BaseReader(IBaseInputs inputs)
{
    public DotNetApp ReadApp() =>
        new()
        {
            RuntimeIdentifier = InputParser.Named("ImageRuntimeIdentifiers", inputs.RuntimeIdentifier, RuntimeIdentifier.Parse),
            FrameworkVersion = inputs.FrameworkVersion,
            SdkVersion = InputParser.Optional(inputs.SdkVersion),
            AssemblyName = inputs.AssemblyName,
            UsesAspNet = inputs.UsesAspNet,
            IsSelfContained = inputs.IsSelfContained,
            IsSingleFile = inputs.IsSingleFile,
            IsAot = inputs.IsAot,
            IsTrimmed = inputs.IsTrimmed,
            IsGlobalizationInvariant = inputs.IsGlobalizationInvariant,
        };

    /// <param name="hasPackages">Whether the image gets packages of an operating system.</param>
    public ImageSource Read(DotNetApp app, bool hasPackages) =>
        InputParser.Optional(inputs.Base) switch
        {
            null => Remote(app.DefaultBase(InputParser.Optional(inputs.BaseFamily))),
            "scratch" => hasPackages
                ? new ScratchImage { EnvironmentVariables = PackageRequestReader.BaseEnvironment(app) }
                : new ScratchImage(),
            var text => ImageSourceReader.ReadLocal(text, inputs.ResolvePath) is { } kept
                ? kept
                : Remote(InputParser.Named("ImageBase", text, Reference.Parse)),
        };

    /// <summary>An image in a registry, or what is left of it offline.</summary>
    public ImageSource Remote(Reference reference) =>
        inputs.Offline ? new OfflineImage(reference) : BaseMirror.Apply(new RegistryImage(reference), inputs.BaseRegistry);
}

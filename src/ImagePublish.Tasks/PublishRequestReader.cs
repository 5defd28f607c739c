using System.Globalization;
using ImagePublish.Bases;
using ImagePublish.Diagnostics;
using ImagePublish.Images;
using ImagePublish.Layers;
using ImagePublish.Oci;
using ImagePublish.Packages.Dependencies;
using ImagePublish.Publishing;
using ImagePublish.Requests;
using ImagePublish.Tasks.Shared;
using ImagePublish.Trust;
using Microsoft.Build.Framework;

namespace ImagePublish.Tasks;

/// <summary>Turns a task's text into types, once. From here on nothing is text any more before JSON is written.</summary>
internal sealed class PublishRequestReader(PublishImageInputs inputs)
{
    private readonly Lazy<GitInfo> source = new(() => GitInfo.Read(inputs));
    private readonly BaseReader bases = new(inputs);

    /// <summary>Reads all of it.</summary>
    /// <exception cref="ImagePublishException"><c>IMG1xxx</c>: something can't be understood.</exception>
    public PublishRequest Read()
    {
        var request = ReadImage();
        var policy = new PolicyRequestReader(inputs);
        // The key of an image that is part of an index is read too: one that is unusable is better known now.
        var signing = SigningReader.Read(inputs);
        return request with
        {
            Policy = policy.Read(),
            Selection = policy.ReadSelection(),
            Attestations = ReadAttestations(request, signing),
            Signing = inputs.IsPartOfIndex ? null : signing,
        };
    }

    private AttestationRequest? ReadAttestations(PublishRequest request, SigningRequest? signing)
    {
        if (inputs.SignAttestations && signing is null)
            throw InputParser.Invalid("ImageSignAttestations", "true", "there is nothing to sign with. Set ImageSigningKey");
        var attestations = new AttestationRequestReader(inputs, source.Value).Read(request.Base, request.Sbom);
        return attestations is null ? null : attestations with { Signing = inputs.SignAttestations ? signing : null };
    }

    private PublishRequest ReadImage()
    {
        var app = bases.ReadApp();
        var workingDirectory = ReadWorkingDirectory(app.RuntimeIdentifier.Platform);
        var names = new ImageNames(inputs);
        var (folder, sources) = (FolderOf(workingDirectory), ReadFolders());
        var packages = new PackageRequestReader(inputs).Read(app);
        var (tags, final) = ReadTags(names, app.RuntimeIdentifier.Value);
        var spec = new SpecReader(inputs).Read(app, workingDirectory, source.Value.Created);
        return new PublishRequest
        {
            Spec = spec,
            Project = inputs.ReadProject(source.Value),
            Base = bases.Read(app, packages is not null),
            BaseTrust = BaseTrustReader.Read(inputs.BaseTrust, inputs.ResolvePath),
            Packages = packages,
            Lock = ReadLock(folder, sources),
            DependencyCheck = ReadDependencyCheck(app),
            Sbom = new SbomRequestReader(inputs).Read(),
            PublishFolder = inputs.ResolvePath(inputs.PublishDirectory),
            Items = PublishItemReader.Read(inputs.PublishItems, sources),
            EntryDefaults = new LayerEntryDefaults { TargetFolder = folder },
            FileOwner = ReadOwner(),
            Added = ReadAdded(spec, folder, sources),
            OtherImages = ReadOtherImages(folder, sources, inputs.Files),
            Layering = InputParser.Choice(inputs.Layering, "ImageLayering", LayeringMode.Auto),
            Compression = ReadCompression(inputs.Compression, inputs.CompressionLevel),
            Destinations = names.Destinations,
            LocalName = names.LocalName,
            CacheFrom = inputs.Offline ? null : CacheTrustReader.ReadSources(inputs.CacheFrom),
            CacheTrust = CacheTrustReader.Read(inputs.CacheTrust, inputs.VerifyReused),
            Tags = tags,
            ContentTags = ImageNames.ContentTags(inputs.Tags, () => source.Value.TagContext(inputs, app.RuntimeIdentifier.Value)),
            HoldsContentTags = !inputs.TagOverwrite,
            HeldTags = inputs.TagsToHold(names, final),
            ComparedTags = [.. final, Tag.Parse("latest")],
        };
    }

    private enum DoctorMode
    {
        Auto,
        Full,
        Off,
    }

    // What the app needs is looked for in the image itself.
    private DependencyCheckRequest? ReadDependencyCheck(DotNetApp app) =>
        InputParser.Choice(inputs.Doctor, "ImageDoctor", DoctorMode.Auto) is var mode
        && (mode == DoctorMode.Off || inputs.Variant is not null)
            ? null
            : new DependencyCheckRequest
            {
                IsGlobalizationInvariant = app.IsGlobalizationInvariant,
                UsesAspNet = app.UsesAspNet,
                IsMusl = app.RuntimeIdentifier.IsMusl,
                MayDownload = mode == DoctorMode.Full && !inputs.Offline,
            };

    public LockInputs ReadLocked()
    {
        var app = bases.ReadApp();
        var packages = new PackageRequestReader(inputs).Read(app);
        var folder = FolderOf(ReadWorkingDirectory(app.RuntimeIdentifier.Platform));
        return new LockInputs(app.RuntimeIdentifier.Platform, bases.Read(app, packages is not null), packages)
        {
            BaseTrust = BaseTrustReader.Read(inputs.BaseTrust, inputs.ResolvePath),
            OtherImages = ReadOtherImages(folder, ReadFolders(), inputs.Files),
        };
    }

    // Those of the image, and those that are moved in the end: an image of an index has none of its own.
    private (IReadOnlyList<Tag> Own, IReadOnlyList<Tag> Final) ReadTags(ImageNames names, string runtimeIdentifier)
    {
        var tags = names.Tags(source.Value.TagContext(inputs, runtimeIdentifier));
        return inputs.IsPartOfIndex
            ? (tags, names.Tags(inputs.IndexTags, inputs.IndexTagPolicy, source.Value.TagContext(inputs, runtimeIdentifier: null)))
            : (tags, tags);
    }

    private LockRequest? ReadLock(string folder, SourceFolders sources) =>
        new LockRequestReader(inputs).Read() is { } lockRequest
            ? lockRequest with
            {
                OtherImages = inputs.FilesOfAll is { } files ? ReadOtherImages(folder, sources, files) : null,
            }
            : null;

    private IReadOnlyList<AddedEntry> ReadAdded(ImageSpec spec, string folder, SourceFolders sources)
    {
        var added = ReaderOf(folder, sources).Read(inputs);
        return spec.Probe is { } probe ? [.. added, ProbeReader.Entry(inputs, probe, spec.Platform)] : added;
    }

    private AddedEntryReader ReaderOf(string folder, SourceFolders sources) => new(folder, sources) { Variant = inputs.Variant?.Name };

    private OtherImages ReadOtherImages(string folder, SourceFolders sources, ITaskItem[] files) =>
        new(ReaderOf(folder, sources).ReadOfImages(files, ReadImage, ReadTrust), [.. inputs.LayersFrom.Select(ReadLayers)]);

    // Whoever trusts some images only must not get files of others unnoticed.
    private TrustPolicy? ReadTrust(ItemSource item, string text) =>
        InputParser.Optional(text) is null
            ? BaseTrustReader.Read(inputs.BaseTrust, inputs.ResolvePath)
            : ForItem(item, () => BaseTrustReader.Read("Trust", text, inputs.ResolvePath));

    private LayersOfImage ReadLayers(ITaskItem item)
    {
        var source = ItemLocations.Locate(item, ItemLocations.Layers);
        return InputParser.Optional(item.GetMetadata("Path")) is null
            ? new LayersOfImage(source, ReadImage(source, item.ItemSpec)) { Trust = ReadTrust(source, item.GetMetadata("Trust")) }
            : throw InputParser.Invalid(
                source,
                "its layers are taken whole, without a Path. For some of its files use ImageFile with From"
            );
    }

    private ImageSource ReadImage(ItemSource item, string text)
    {
        if (text.Trim() == "scratch")
            throw InputParser.Invalid(item, "scratch has neither files nor layers");
        return ForItem(item, () =>
            ImageSourceReader.ReadLocal(text.Trim(), inputs.ResolvePath) ?? bases.Remote(Reference.Parse(text.Trim()))
        );
    }

    private static T ForItem<T>(ItemSource item, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (ImagePublishException exception)
        {
            throw new ImagePublishException(exception.Code, $"{item}: {exception.Message}", exception) { Item = item };
        }
    }

    // A separator at its end stays, as the SDK and WORKDIR leave it.
    private string ReadWorkingDirectory(Platform platform)
    {
        if (InputParser.Optional(inputs.WorkingDirectory) is not { } text)
            return platform.Os == "windows" ? @"C:\app" : "/app";
        if (platform.Os == "windows")
            return text.Replace('/', '\\');
        return text.StartsWith('/') && !text.Split('/').Contains("..")
            ? text
            : throw InputParser.Invalid("ImageWorkingDirectory", text, "expected an absolute path of the image without '..', such as /app");
    }

    // In layers a drive has no letter, and every separator is '/'.
    private static string FolderOf(string workingDirectory)
    {
        var path = workingDirectory.Replace('\\', '/');
        return (path is [_, ':', ..] ? path[2..] : path).Trim('/');
    }

    private SourceFolders ReadFolders() =>
        new(
            inputs.PackageFolders.Select(inputs.ResolvePath),
            [.. inputs.BuildFolders.Select(inputs.ResolvePath), inputs.ResolvePath(inputs.PublishDirectory)]
        );

    private FileOwner ReadOwner()
    {
        var text = InputParser.Optional(inputs.FileOwner) ?? "0:0";
        return FileOwner.TryParse(text, out var owner)
            ? owner
            : throw InputParser.Invalid("ImageFileOwner", text, "expected user or user:group, by number or name, such as 1654:1654");
    }

    /// <summary>Reads how layers are compressed.</summary>
    /// <exception cref="ImagePublishException"><c>IMG1001</c>: one can't be understood.</exception>
    internal static LayerCompression ReadCompression(string? compression, string? level) =>
        new(InputParser.Choice(compression, "ImageCompression", Compression.Gzip), ReadLevel(level));

    private static int? ReadLevel(string? level)
    {
        if (InputParser.Optional(level) is not { } text)
            return null;
        return int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw InputParser.Invalid("ImageCompressionLevel", text, "expected a number");
    }
}

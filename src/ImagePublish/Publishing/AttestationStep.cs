using System.Text.Json;
using ImagePublish.Attachments;
using ImagePublish.Bases;
using ImagePublish.Common;
using ImagePublish.Destinations;
using ImagePublish.Diagnostics;
using ImagePublish.Images;
using ImagePublish.Oci;
using ImagePublish.Packages.Model;
using ImagePublish.Requests;
using ImagePublish.Sboms;

namespace ImagePublish.Publishing;

/// <summary>An image that attestations are about, and what it was made of.</summary>
/// <param name="Packages">The operating system packages that were chosen for it.</param>
internal sealed record AttestedImage(PublishRequest Request, Image Image, ResolvedImages Images, IReadOnlyList<OsPackage> Packages)
{
    /// <summary>Its bill of materials, made when it is first asked for; null in a plan, and where none is wanted.</summary>
    public required Lazy<Task<MemoryBlobSource?>> Sbom { get; init; }

    /// <summary>Signs it, or its statements alone where it is part of an index; null where nothing is signed.</summary>
    public ImageSigner? Signer { get; init; }

    /// <summary>Its debug symbols, where they are attached to it.</summary>
    public SymbolsStep? Symbols { get; init; }
}

/// <summary>
/// Attaches attestations and debug symbols to an image at every destination, before a tag moves: statements are composed once, and only
/// where a destination lacks one of their types.
/// </summary>
internal sealed class AttestationStep
{
    private const int MaxFound = 100;

    private static readonly DiagnosticCode[] Unreadable =
    [
        DiagnosticCodes.RegistryProtocol,
        DiagnosticCodes.ContentMismatch,
        DiagnosticCodes.TooLarge,
    ];

    private readonly AttestedImage attested;
    private readonly TaskScope tasks;
    private readonly AttestationRequest? request;
    private readonly Lazy<Task<ProvenanceInputs>>? inputs;
    private readonly Lazy<Task<IReadOnlyList<Statement>>> statements;

    public AttestationStep(AttestedImage attested, TaskScope tasks)
    {
        (this.attested, this.tasks) = (attested, tasks);
        if (attested.Request.Attestations is { Placement: not AttestationPlacement.None } wanted)
        {
            request = wanted;
            inputs = wanted.Provenance is { } facts ? new(() => tasks.Run(token => ReadInputsAsync(facts, token))) : null;
        }

        statements = new(ComposeOnceAsync);
    }

    public Image Image => attested.Image;

    public ImageSigner? Signer => attested.Signer;

    public CancellationToken Stop => tasks.Token;

    public PublishRequest Request => attested.Request;

    private bool IsInIndex => request?.Placement == AttestationPlacement.Index;

    /// <summary>Begins to read what statements are composed of, beside what a publish does before it needs them.</summary>
    public void Start()
    {
        _ = attested.Sbom.Value;
        _ = inputs?.Value;
    }

    /// <summary>Begins what takes its time until something can be attached: to find out who signs, and to upload statements to the
    /// destinations that lack a blob of the image. They are attached after it is confirmed.</summary>
    public void StartAttaching(DestinationSet destinations)
    {
        IDestination[] written = [.. destinations.All.Where(one => !one.IsOnlyMeasured)];
        if (written.Length > 0)
            Signer?.Prepare(tasks);
        foreach (var destination in request is null ? [] : written)
            _ = tasks.Run(_ => UploadStatementsAsync(destination));
    }

    /// <summary>The image's bill of materials; null where there is none.</summary>
    public Task<MemoryBlobSource?> DescribeAsync() => attested.Sbom.Value;

    /// <summary>What tags point at: the image, or an index of it and its attestations.</summary>
    public async Task<MemoryBlobSource> ComposeRootAsync()
    {
        if (!IsInIndex || request!.IsPartOfIndex)
            return Image.Manifest;
        var attached = await ComposeMissingAsync([]);
        return attached.Count == 0
            ? Image.Manifest
            : IndexComposer.Compose([Image.IndexEntry], [], [.. attached.Select(one => one.IndexEntry(Image.Digest))]);
    }

    /// <summary>Attaches what is wanted and not there.</summary>
    /// <returns>What is attached everywhere, whether it was before or not.</returns>
    public Task<IReadOnlyList<AttachmentInfo>> AttachAsync(DestinationSet destinations) => EachAsync(destinations, AttachAsync);

    /// <summary>Attaches what is wanted and not there, and signs the image: its list of attachments changes once.</summary>
    /// <returns>What is attached everywhere, whether it was before or not; without the signatures.</returns>
    public Task<IReadOnlyList<AttachmentInfo>> AttachSignedAsync(DestinationSet destinations, SigningStep signing, SignedImage signed) =>
        EachAsync(destinations, async destination =>
        {
            IReadOnlyList<AttachmentInfo> attested = [];
            await signing.SignAsync(destination, signed, async () =>
            {
                (attested, var added) = await PutMissingAsync(destination);
                return added;
            });
            return attested;
        });

    private static async Task<IReadOnlyList<AttachmentInfo>> EachAsync(
        DestinationSet destinations,
        Func<IDestination, Task<IReadOnlyList<AttachmentInfo>>> attachAsync
    )
    {
        var attached = new List<AttachmentInfo>();
        await destinations.EachAsync(async destination =>
        {
            var found = await attachAsync(destination);
            lock (attached)
                attached.AddRange(found);
        });
        return [.. attached.DistinctBy(one => one.Descriptor.Digest).OrderBy(one => one.Descriptor.Digest.Value, StringComparer.Ordinal)];
    }

    /// <summary>The statements, composed when somebody first asks.</summary>
    public Task<IReadOnlyList<Statement>> ComposeAsync() => statements.Value;

    /// <summary>The types of statements that are wanted. Nothing is composed: where all of these are attached, there is no need
    /// to.</summary>
    public List<string> WantedTypes()
    {
        var types = new List<string>();
        if (request is null)
            return types;
        if (request.Provenance is not null)
            types.Add(AttachmentTypes.Provenance);
        if (Request.Sbom is { } sbom)
            types.Add(PredicateOf(sbom.Format));
        return types;
    }

    private async Task<IReadOnlyList<AttachmentInfo>> AttachAsync(IDestination destination)
    {
        var (attested, added) = await PutMissingAsync(destination);
        if (added.Count > 0)
            await destination.AttachAsync(Image.Manifest.Descriptor, added);
        return attested;
    }

    /// <summary>Puts the manifests of what is wanted and not attached to the image at a destination.</summary>
    /// <returns>What is attached once it is listed, and what is to be added to the list.</returns>
    public async Task<(IReadOnlyList<AttachmentInfo> Attested, IReadOnlyList<Descriptor> Added)> PutMissingAsync(IDestination destination)
    {
        if (request is null || (WantedTypes().Count == 0 && attested.Symbols is null))
            return ([], []);
        if (IsInIndex)
            return (await PutAsync(destination), []);
        var subject = Image.Manifest.Descriptor;
        // Nothing is attached to an image that was not there.
        var found = await destination.LackedAnyAsync([Image.ConfigBlob.Descriptor.Digest])
            ? []
            : await FindAsync(destination, subject, MayBeWanted);
        var missing = await ComposeMissingAsync(found);
        await Task.WhenAll(missing.Select(one => PutAsync(destination, one)));
        return (
            [.. found, .. missing.Select(one => AttachmentInfo.TryRead(one.Manifest, subject.Digest)!)],
            [.. missing.Select(one => ReferrerEntry.Create(one.Manifest))]
        );
    }

    private async Task UploadStatementsAsync(IDestination destination)
    {
        var blobs = Image.Layers.Select(layer => layer.Descriptor.Digest).Prepend(Image.ConfigBlob.Descriptor.Digest);
        if (!await destination.LackedAnyAsync(blobs) || await ComposeStatementsAsync([]) is not { } statements)
            return;
        foreach (var blob in statements.Blobs)
            _ = destination.UploadAsync(blob);
    }

    // In an index it needs no list that names it.
    private async Task<IReadOnlyList<AttachmentInfo>> PutAsync(IDestination destination)
    {
        var attached = await ComposeMissingAsync([]);
        foreach (var one in attached)
        {
            if (!destination.KeepsImagesWhole || !await destination.HasManifestAsync(one.Manifest.Descriptor))
                await PutAsync(destination, one);
        }

        return [.. attached.Select(one => AttachmentInfo.TryRead(one.Manifest, Image.Digest)!)];
    }

    /// <summary>Puts a manifest that is to be attached, and everything that it references.</summary>
    public static async Task PutAsync(IDestination destination, AttachedManifest attestation)
    {
        await BlobTransfer.ConfirmAsync([.. attestation.Blobs.Select(blob => destination.UploadAsync(blob))]);
        await destination.PutManifestAsync(attestation.Manifest);
    }

    /// <summary>Finds the manifests with statements that are attached to an image.</summary>
    public static Task<IReadOnlyList<AttachmentInfo>> FindAsync(IDestination destination, Descriptor subject) =>
        FindAsync(destination, subject, MayBeStatements);

    private static async Task<IReadOnlyList<AttachmentInfo>> FindAsync(
        IDestination destination,
        Descriptor subject,
        Predicate<string?> mayBeWanted
    )
    {
        var found = new List<AttachmentInfo>();
        // A list may name anything: what counts is what the manifest says of itself.
        foreach (var entry in await destination.FindAttachmentsAsync(subject))
        {
            if (found.Count == MaxFound)
                break;
            if (!mayBeWanted(entry.ArtifactType))
                continue;
            try
            {
                if (
                    await destination.TryReadManifestAsync(entry) is { } manifest
                    && AttachmentInfo.TryRead(manifest, subject.Digest) is { } attachment
                )
                    found.Add(attachment);
            }
            catch (Exception exception)
                when (exception is JsonException || (exception is ImagePublishException failure && Unreadable.Contains(failure.Code)))
            {
                // What nobody can read attests nothing.
            }
        }

        return found;
    }

    private bool MayBeWanted(string? artifactType) =>
        MayBeStatements(artifactType) || (artifactType == AttachmentTypes.Symbols && attested.Symbols is not null);

    private static bool MayBeStatements(string? artifactType) =>
        artifactType is null or AttachmentTypes.Attestation or AttachmentTypes.EmptyConfig;

    private async Task<IReadOnlyList<AttachedManifest>> ComposeMissingAsync(IReadOnlyList<AttachmentInfo> found)
    {
        var missing = new List<AttachedManifest>();
        if (await ComposeStatementsAsync([.. found.SelectMany(one => one.Types)]) is { } statements)
            missing.Add(statements);
        if (attested.Symbols is { } symbols && !await symbols.AreAmongAsync(found))
            missing.Add(AttachedManifest.CreateSymbols(Image.Manifest.Descriptor, await symbols.BuildAsync()));
        return missing;
    }

    // The manifest of the statements that are not there; null where all are.
    private async Task<AttachedManifest?> ComposeStatementsAsync(IReadOnlyCollection<string> present)
    {
        if (WantedTypes().All(present.Contains))
            return null;
        Statement[] missing = [.. (await statements.Value).Where(statement => !present.Contains(statement.PredicateType))];
        return missing.Length == 0 ? null : AttachedManifest.CreateAttestation(Image.Manifest.Descriptor, missing);
    }

    // A further statement about the image is added here, and its type to WantedTypes.
    private async Task<IReadOnlyList<Statement>> ComposeOnceAsync()
    {
        var composed = new List<Statement>();
        if (inputs is not null)
            composed.Add(ProvenanceComposer.Compose(Image.Digest, SubjectNames(), await inputs.Value));
        if (Request.Sbom is { } sbom && request is not null && await attested.Sbom.Value is { } document)
            composed.Add(
                Statement.Create(PredicateOf(sbom.Format), Image.Digest, SubjectNames(), json =>
                    json.WriteRawValue(document.Content.Span.TrimEnd((byte)'\n'), skipInputValidation: true)
                )
            );
        return composed;
    }

    private async Task<ProvenanceInputs> ReadInputsAsync(BuildFacts facts, CancellationToken cancellationToken)
    {
        var asking = facts.Run.HasChangesAsync is { } ask ? ask() : Task.FromResult<bool?>(null);
        var materials = await ImageMaterials.FindAsync(attested, facts, cancellationToken);
        return new ProvenanceInputs(facts, materials, await asking) { IsReproducible = IsInIndex };
    }

    private static string PredicateOf(SbomFormat format) => format == SbomFormat.Spdx ? AttachmentTypes.Spdx : AttachmentTypes.CycloneDx;

    private IReadOnlyList<string> SubjectNames() =>
        Request.Destinations.Count == 0
            ? [PackageUrl.Image(Request.LocalName, null, ("arch", Image.Platform.Architecture))]
            : [.. Request.Destinations.Select(PackageUrlOf).Order(StringComparer.Ordinal)];

    private string PackageUrlOf(Repository repository) =>
        PackageUrl.Image(repository.Name, null, ("arch", Image.Platform.Architecture), ("repository_url", repository.ToString()));
}

/// <summary>What an image was made of, besides the project's own sources: images, packages, and the lock file.</summary>
internal static class ImageMaterials
{
    public static async Task<IReadOnlyList<Material>> FindAsync(
        AttestedImage attested,
        BuildFacts facts,
        CancellationToken cancellationToken
    )
    {
        var request = attested.Request;
        var materials = new List<Material>();
        if (Describe(request.Base, attested.Images.Original) is { } baseImage)
            materials.Add(baseImage);
        materials.AddRange(
            request.OtherImages.Sources.Select(source => Describe(source, attested.Images.Others[source])).OfType<Material>()
        );
        if (facts.AssetsFile is { } assets)
            materials.AddRange(await new RestoredPackages(assets).ReadAsync(facts.AssetsTargets, cancellationToken));
        materials.AddRange(attested.Packages.OrderBy(package => package.Name, StringComparer.Ordinal).Select(Describe));
        if (request.Lock?.File is { } file && File.Exists(file))
        {
            await using var content = File.OpenRead(file);
            var digest = await Digest.ComputeAsync(content, cancellationToken);
            materials.Add(new Material { Name = Path.GetFileName(file), Digest = (digest.Algorithm, digest.Hex) });
        }

        return materials;
    }

    // Of an image on this machine the path is nobody's business.
    private static Material? Describe(ImageSource source, BaseImage image)
    {
        if (image.Digest is not { } digest)
            return null;
        var reference = source switch
        {
            RegistryImage remote => remote.Reference,
            OfflineImage kept => kept.Reference,
            _ => null,
        };
        return reference is null
            ? new Material { Name = Path.GetFileName(image.Name), Digest = (digest.Algorithm, digest.Hex) }
            : Material.Image(PackageUrlOf(reference), digest);
    }

    internal static string PackageUrlOf(Reference reference) =>
        PackageUrl.Image(
            reference.Repository.Name,
            null,
            ("repository_url", reference.Repository.ToString()),
            ("tag", reference.Tag?.Value)
        );

    private static Material Describe(OsPackage package) =>
        new()
        {
            Name = package.Name,
            Digest = (package.Digest.Algorithm, package.Digest.Hex),
            Annotations = [KeyValuePair.Create("version", package.Version), KeyValuePair.Create("architecture", package.Architecture)],
        };
}

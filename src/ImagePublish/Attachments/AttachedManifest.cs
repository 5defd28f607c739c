using ImagePublish.Oci;

namespace ImagePublish.Attachments;

/// <summary>A manifest that is attached to another by its digest, with its blobs: the config, then the layers.</summary>
internal sealed record AttachedManifest(MemoryBlobSource Manifest, IReadOnlyList<BlobSource> Blobs)
{
    /// <summary>What tools that pull artifacts name a layer's file by.</summary>
    private const string Title = "org.opencontainers.image.title";

    /// <summary>The blob <c>{}</c>. Registries want it, although its descriptor has it inline.</summary>
    private static readonly MemoryBlobSource Empty = new(
        new Descriptor(AttachmentTypes.EmptyConfig, Digest.Compute("{}"u8), 2) { Data = "e30=" },
        "{}"u8.ToArray()
    )
    {
        Lookup = BlobLookup.Remembered,
    };

    /// <summary>The manifest with in-toto statements about an image, which may be a referrer and an entry of its index alike.</summary>
    public static AttachedManifest CreateAttestation(Descriptor subject, IReadOnlyList<Statement> statements) =>
        Create(
            AttachmentTypes.Attestation,
            subject,
            [.. statements.Select(statement => (statement.Blob, Annotation(AttachmentTypes.PredicateType, statement.PredicateType)))]
        );

    /// <summary>The manifest with the debug symbols of an image.</summary>
    public static AttachedManifest CreateSymbols(Descriptor subject, Layer symbols)
    {
        var (descriptor, diffId, content) = (symbols.Descriptor, symbols.DiffId, symbols.Source!);
        var compression = MediaTypes.CompressionOf(descriptor.MediaType);
        var layer = new Descriptor(MediaTypes.Layer(ImageFormat.Oci, compression), descriptor.Digest, descriptor.Size)
        {
            Annotations = Annotation(Title, "symbols.tar" + (compression == Compression.Gzip ? ".gz" : "")),
        };
        return Create(AttachmentTypes.Symbols, subject, [(content, layer)], Annotation(AttachmentTypes.SymbolsDiffId, diffId.Value));
    }

    /// <summary>What was attached to another image, attached to this one.</summary>
    public static AttachedManifest Renew(Descriptor subject, ImageManifest attached, Func<Descriptor, BlobSource> blob) =>
        Create(attached.ArtifactType!, subject, [.. attached.Layers.Select(layer => (blob(layer), layer))], attached.Annotations);

    /// <summary>A manifest of any artifact type. The same arguments give the same bytes.</summary>
    public static AttachedManifest Create(
        string artifactType,
        Descriptor subject,
        IReadOnlyList<(MemoryBlobSource Blob, IReadOnlyDictionary<string, string>? Annotations)> layers,
        IReadOnlyDictionary<string, string>? annotations = null
    ) =>
        Create(
            artifactType,
            subject,
            [
                .. layers.Select(layer =>
                    (layer.Blob.With(BlobLookup.Never), layer.Blob.Descriptor with { Annotations = layer.Annotations })
                ),
            ],
            annotations
        );

    private static AttachedManifest Create(
        string artifactType,
        Descriptor subject,
        IReadOnlyList<(BlobSource Blob, Descriptor Descriptor)> layers,
        IReadOnlyDictionary<string, string>? annotations
    )
    {
        var manifest = new ImageManifest(Empty.Descriptor, [.. layers.Select(layer => layer.Descriptor)])
        {
            MediaType = MediaTypes.OciManifest,
            ArtifactType = artifactType,
            Subject = new Descriptor(subject.MediaType, subject.Digest, subject.Size),
            Annotations = annotations,
        };
        return new AttachedManifest(
            MemoryBlobSource.Create(MediaTypes.OciManifest, OciJson.Write(manifest)),
            [Empty, .. layers.Select(layer => layer.Blob)]
        );
    }

    /// <summary>The entry of an image's index, after those of its platforms.</summary>
    public Descriptor IndexEntry(Digest image) => IndexEntry(Manifest.Descriptor, image);

    public static Descriptor IndexEntry(Descriptor manifest, Digest image) =>
        manifest with
        {
            ArtifactType = null,
            Annotations = new SortedDictionary<string, string>(StringComparer.Ordinal)
            {
                [AttachmentTypes.ReferenceDigest] = image.Value,
                [AttachmentTypes.ReferenceType] = AttachmentTypes.AttestationManifest,
            },
            Platform = new Platform("unknown", "unknown"),
        };

    private static SortedDictionary<string, string> Annotation(string name, string value) => new(StringComparer.Ordinal) { [name] = value };
}

/// <summary>A manifest as lists of attachments have it. It says what its own bytes say: another's list may be wrong.</summary>
/// <remarks>go-containerregistry before 0.22.1 wrote wrong artifact types and no annotations.</remarks>
internal static class ReferrerEntry
{
    /// <summary>The entry of a manifest or an index that has a subject.</summary>
    /// <exception cref="System.Text.Json.JsonException">It is malformed.</exception>
    public static Descriptor Create(MemoryBlobSource document)
    {
        var (type, annotations) = MediaTypes.IsIndex(document.Descriptor.MediaType)
            ? TypeOf(OciJson.ReadIndex(document.Content.Span))
            : TypeOf(OciJson.ReadManifest(document.Content.Span));
        return new Descriptor(document.Descriptor.MediaType, document.Descriptor.Digest, document.Descriptor.Size)
        {
            ArtifactType = type,
            Annotations = annotations,
        };
    }

    /// <summary>What a manifest or an index is attached to; null where it is attached to nothing.</summary>
    /// <exception cref="System.Text.Json.JsonException">It is malformed.</exception>
    public static Digest? SubjectOf(MemoryBlobSource document) =>
        MediaTypes.IsIndex(document.Descriptor.MediaType)
            ? OciJson.ReadIndex(document.Content.Span).Subject?.Digest
            : OciJson.ReadManifest(document.Content.Span).Subject?.Digest;

    private static (string?, IReadOnlyDictionary<string, string>?) TypeOf(ImageManifest manifest) =>
        (manifest.ArtifactType ?? manifest.Config.MediaType, manifest.Annotations);

    private static (string?, IReadOnlyDictionary<string, string>?) TypeOf(ImageIndex index) => (index.ArtifactType, index.Annotations);
}

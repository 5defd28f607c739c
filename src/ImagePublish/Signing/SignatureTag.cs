using ImagePublish.Oci;
using ImagePublish.Trust;

namespace ImagePublish.Signing;

/// <summary>A signature as a layer of the tag <c>sha256-….sig</c>.</summary>
internal sealed record TagSignature(MemoryBlobSource Payload, string Signature)
{
    /// <summary>Annotations with what a keyless signature is verified with.</summary>
    public IReadOnlyDictionary<string, string> Material { get; init; } = new Dictionary<string, string>();

    public static async Task<TagSignature> CreateAsync(Signer signer, Digest image, string reference, CancellationToken cancellationToken)
    {
        var payload = SignaturePayload.WriteSimple(image, reference);
        return Create(payload, await signer.SignTagAsync(payload, cancellationToken));
    }

    public static TagSignature Create(byte[] payload, byte[] signature) =>
        new(MemoryBlobSource.Create(SimpleSigning.LayerType, payload).With(BlobLookup.Never), Convert.ToBase64String(signature));

    public Descriptor Layer
    {
        get
        {
            var annotations = new SortedDictionary<string, string>(StringComparer.Ordinal)
            {
                [SimpleSigning.SignatureAnnotation] = Signature,
            };
            foreach (var (name, value) in Material)
                annotations[name] = value;
            return Payload.Descriptor with { Annotations = annotations };
        }
    }
}

/// <summary>The manifest that the tag <c>sha256-….sig</c> points at: a layer for each signature, whoever made it.</summary>
/// <remarks><see href="https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md">Cosign Signature
/// Specifications</see>.</remarks>
internal sealed class SignatureTag(IReadOnlyList<Descriptor> layers, IReadOnlyDictionary<string, string>? annotations)
{
    private const string NoTime = "0001-01-01T00:00:00Z";

    public static SignatureTag Empty { get; } = new([], null);

    /// <summary>Reads the manifest; null where the tag is something else's, such as an image's.</summary>
    public static SignatureTag? TryRead(MemoryBlobSource document)
    {
        if (!MediaTypes.IsManifest(document.Descriptor.MediaType))
            return null;
        var manifest = OciJson.ReadManifest(document.Content.Span);
        return manifest.Layers.All(layer => layer.MediaType == SimpleSigning.LayerType)
            ? new SignatureTag(manifest.Layers, manifest.Annotations)
            : null;
    }

    public int Count => layers.Count;

    public bool HasAll(IReadOnlyList<TagSignature> signatures) => signatures.All(one => layers.Any(layer => IsSame(layer, one.Layer)));

    public SignatureTag With(IReadOnlyList<TagSignature> signatures) =>
        new([.. layers, .. signatures.Select(one => one.Layer).Where(added => !layers.Any(layer => IsSame(layer, added)))], annotations);

    public bool IsSame(SignatureTag other) => Count == other.Count && layers.Zip(other.Layers).All(pair => IsSame(pair.First, pair.Second));

    /// <summary>The manifest and its config.</summary>
    public (MemoryBlobSource Manifest, MemoryBlobSource Config) Write()
    {
        var config = MemoryBlobSource.Create(MediaTypes.OciConfig, WriteConfig()).With(BlobLookup.Never);
        var manifest = new ImageManifest(config.Descriptor, layers) { MediaType = MediaTypes.OciManifest, Annotations = annotations };
        return (MemoryBlobSource.Create(MediaTypes.OciManifest, OciJson.Write(manifest)), config);
    }

    private IReadOnlyList<Descriptor> Layers => layers;

    // Two keys may have signed the same payload.
    private static bool IsSame(Descriptor one, Descriptor other) =>
        one.Digest == other.Digest
        && one.Annotations?.GetValueOrDefault(SimpleSigning.SignatureAnnotation)
            == other.Annotations?.GetValueOrDefault(SimpleSigning.SignatureAnnotation);

    // As cosign writes it. A payload is not compressed: its digest is its layer's and its diff id.
    private byte[] WriteConfig() =>
        OciJson.Write(json =>
        {
            json.WriteStartObject();
            json.WriteString("architecture", "");
            json.WriteString("created", NoTime);
            json.WriteStartArray("history");
            foreach (var _ in layers)
            {
                json.WriteStartObject();
                json.WriteString("created", NoTime);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteString("os", "");
            json.WriteStartObject("rootfs");
            json.WriteString("type", "layers");
            json.WriteStartArray("diff_ids");
            foreach (var layer in layers)
                json.WriteStringValue(layer.Digest.Value);
            json.WriteEndArray();
            json.WriteEndObject();
            json.WriteStartObject("config");
            json.WriteEndObject();
            json.WriteEndObject();
        });
}

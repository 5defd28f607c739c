using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using ImagePublish.Oci;

namespace ImagePublish.Trust;

/// <summary>An authority of an instance of sigstore, with its certificates up to its root.</summary>
internal sealed record SigstoreAuthority(string Address, IReadOnlyList<X509Certificate2> Chain, Validity Validity)
{
    public TrustAnchors Anchors { get; } = new(Chain);
}

/// <summary>An instance of sigstore: which authorities and logs are believed, and when. It is a file: nothing is
/// asked for.</summary>
/// <remarks><see href="https://github.com/sigstore/protobuf-specs/blob/main/protos/sigstore_trustroot.proto">TrustedRoot</see>.</remarks>
internal sealed class SigstoreRoot
{
    public const string MediaTypePrefix = "application/vnd.dev.sigstore.trustedroot";
    public const int MaxSize = 1 << 20;

    private const string Root = "it";
    private const int MaxEntries = 64;

    private static readonly Lazy<SigstoreRoot> Public = new(ReadPublic);

    private SigstoreRoot(Digest id, JsonElement root)
    {
        Id = id;
        Authorities = ReadList(root, "certificateAuthorities", ReadAuthority);
        TimeStampAuthorities = ReadList(root, "timestampAuthorities", ReadAuthority);
        Logs = ReadList(root, "tlogs", ReadLog);
        CertificateLogs = ReadList(root, "ctlogs", ReadLog);
    }

    /// <summary>The public instance, which is free for everybody.</summary>
    public static SigstoreRoot PublicGood => Public.Value;

    /// <summary>Changes with everything in it.</summary>
    public Digest Id { get; }

    /// <summary>Authorities of signing certificates: Fulcio.</summary>
    public IReadOnlyList<SigstoreAuthority> Authorities { get; }

    public IReadOnlyList<SigstoreAuthority> TimeStampAuthorities { get; }

    /// <summary>Logs of signatures: Rekor.</summary>
    public IReadOnlyList<TransparencyLog> Logs { get; }

    public IReadOnlyList<TransparencyLog> CertificateLogs { get; }

    /// <exception cref="RefusedSignatureException">It is malformed.</exception>
    public static SigstoreRoot Parse(ReadOnlyMemory<byte> json)
    {
        using var document = SignatureJson.Parse(json, Root);
        if (!IsRoot(document.RootElement))
            throw RefusedSignatureException.Malformed($"{Root} is not a trusted root, whose 'mediaType' begins with {MediaTypePrefix}");
        var root = new SigstoreRoot(Digest.Compute(json.Span), document.RootElement);
        return root.Authorities.Count > 0 && root.Logs.Count > 0
            ? root
            : throw RefusedSignatureException.Malformed($"{Root} names no authority of certificates, or no log");
    }

    public static bool IsRoot(JsonElement element) =>
        element.TryGetProperty("mediaType", out var type)
        && type.ValueKind == JsonValueKind.String
        && type.GetString()!.StartsWith(MediaTypePrefix, StringComparison.Ordinal);

    private static List<T> ReadList<T>(JsonElement root, string name, Func<JsonElement, T> read)
    {
        if (SignatureJson.Optional(root, name, JsonValueKind.Array, Root) is not { } list)
            return [];
        return [.. ReadObjects(list, name).Select(read)];
    }

    internal static IEnumerable<JsonElement> ReadObjects(JsonElement list, string name) =>
        list.GetArrayLength() <= MaxEntries && list.EnumerateArray().All(item => item.ValueKind == JsonValueKind.Object)
            ? list.EnumerateArray()
            : throw RefusedSignatureException.Malformed($"its '{name}' is not a list of at most {MaxEntries} objects");

    private static SigstoreAuthority ReadAuthority(JsonElement element)
    {
        var chain = SignatureJson.Required(element, "certChain", JsonValueKind.Object, Root);
        var list = SignatureJson.Required(chain, "certificates", JsonValueKind.Array, Root);
        var certificates = list.EnumerateArray().Select(item => SignatureJson.Bytes(SignatureJson.Text(item, "rawBytes", Root), Root));
        return new SigstoreAuthority(
            SignatureJson.OptionalText(element, "uri", Root) ?? "",
            CertificateChain.Read([.. certificates]).Certificates,
            ReadValidity(element)
        );
    }

    private static TransparencyLog ReadLog(JsonElement element)
    {
        var key = SignatureJson.Required(element, "publicKey", JsonValueKind.Object, Root);
        var id = SignatureJson.Required(element, "logId", JsonValueKind.Object, Root);
        return new TransparencyLog(
            SignatureJson.OptionalText(element, "baseUrl", Root) ?? "",
            SignatureJson.Bytes(SignatureJson.Text(id, "keyId", Root), Root),
            SignatureJson.Bytes(SignatureJson.Text(key, "rawBytes", Root), Root),
            ReadValidity(key)
        );
    }

    internal static Validity ReadValidity(JsonElement element) =>
        SignatureJson.Optional(element, "validFor", JsonValueKind.Object, Root) is { } range
            ? new Validity(
                ReadInstant(range, "start") ?? throw RefusedSignatureException.Malformed($"{Root} has a 'validFor' without a 'start'"),
                ReadInstant(range, "end")
            )
            : default;

    private static DateTimeOffset? ReadInstant(JsonElement range, string name) =>
        SignatureJson.OptionalText(range, name, Root) is { } text
            ? SignatureJson.Instant(text, string.Create(CultureInfo.InvariantCulture, $"a '{name}' of it"))
            : null;

    // As the package '@sigstore/tuf' of sigstore brings it along.
    private static SigstoreRoot ReadPublic()
    {
        using var stream = typeof(SigstoreRoot).Assembly.GetManifestResourceStream("ImagePublish.SigstorePublicGood.json")!;
        using var bytes = new MemoryStream();
        stream.CopyTo(bytes);
        return Parse(bytes.ToArray());
    }
}

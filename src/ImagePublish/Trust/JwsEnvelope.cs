using System.Text;
using System.Text.Json;

namespace ImagePublish.Trust;

/// <summary>Reads Notation signatures in JWS.</summary>
/// <remarks><see href="https://github.com/notaryproject/specifications/blob/v1.1.0/specs/signature-envelope-jws.md">JWS Signature
/// Envelope</see>.</remarks>
internal static class JwsEnvelope
{
    public const string MediaType = "application/jose+json";

    private const string Envelope = "its JWS envelope";
    private const string Headers = "the protected header of its JWS envelope";

    private static readonly string[] Parts = ["payload", "protected", "header", "signature"];

    public static NotationEnvelope Read(ReadOnlyMemory<byte> bytes)
    {
        using var document = SignatureJson.Parse(bytes, Envelope);
        var root = document.RootElement;
        if (root.EnumerateObject().FirstOrDefault(part => !Parts.Contains(part.Name)) is { Value.ValueKind: not JsonValueKind.Undefined })
            throw RefusedSignatureException.Malformed($"{Envelope} has other parts than {string.Join(", ", Parts)}");
        var (protectedText, payloadText) = (SignatureJson.Text(root, "protected", Envelope), SignatureJson.Text(root, "payload", Envelope));
        var header = SignatureJson.Required(root, "header", JsonValueKind.Object, Envelope);
        var certificates = SignatureJson.Required(header, "x5c", JsonValueKind.Array, Envelope);
        var chain = CertificateChain.Read([
            .. SignatureJson.Texts(certificates, Envelope).Select(text => SignatureJson.Bytes(text, $"a certificate of {Envelope}")),
        ]);
        var signature = SignatureJson.UrlBytes(SignatureJson.Text(root, "signature", Envelope), $"the signature of {Envelope}");
        using var headers = SignatureJson.Parse(SignatureJson.UrlBytes(protectedText, Headers), Headers);
        RequireAlgorithm(headers.RootElement, chain.Key);
        if (!chain.Key.Verify(chain.Key.NotationAlgorithm, Encoding.ASCII.GetBytes($"{protectedText}.{payloadText}"), signature))
            throw RefusedSignatureException.Malformed("it does not fit its content: one of them was altered");
        return Read(headers.RootElement) with
        {
            Chain = chain,
            Payload = SignatureJson.UrlBytes(payloadText, $"the payload of {Envelope}"),
            Signature = signature,
            TimeStamp = SignatureJson.OptionalText(header, NotationEnvelope.TimeStampHeader, Envelope) is { } stamp
                ? SignatureJson.Bytes(stamp, "its time-stamp").AsMemory()
                : (ReadOnlyMemory<byte>?)null,
        };
    }

    private static void RequireAlgorithm(JsonElement headers, VerificationKey key)
    {
        var algorithm = SignatureJson.Text(headers, "alg", Headers);
        NotationEnvelope.RequireAlgorithm(key, algorithm == key.NotationAlgorithm.JwsName, algorithm);
    }

    private static NotationEnvelope Read(JsonElement headers)
    {
        if (SignatureJson.Text(headers, "cty", Headers) is var type && type != NotationEnvelope.PayloadType)
            throw RefusedSignatureException.Malformed(
                $"its payload is '{Common.Text.Sanitize(type)}' and not {NotationEnvelope.PayloadType}"
            );
        var scheme = NotationEnvelope.ReadScheme(SignatureJson.Text(headers, NotationEnvelope.SchemeHeader, Headers));
        var expiry = Instant(headers, NotationEnvelope.ExpiryHeader);
        var critical = SignatureJson.Required(headers, "crit", JsonValueKind.Array, Headers);
        return new NotationEnvelope(null!, default, default)
        {
            Scheme = scheme,
            AuthenticTime = Instant(headers, NotationEnvelope.AuthenticTimeHeader),
            Expiry = expiry,
            PluginHeader = NotationEnvelope.RequireHeaders(SignatureJson.Texts(critical, Headers), scheme, expiry is not null),
        };
    }

    private static DateTimeOffset? Instant(JsonElement headers, string name) =>
        SignatureJson.OptionalText(headers, name, Headers) is { } text ? SignatureJson.Instant(text, $"the header '{name}'") : null;
}

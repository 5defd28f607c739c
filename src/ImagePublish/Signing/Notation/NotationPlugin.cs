using System.Security.Cryptography;
using System.Text.Json;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Trust;

namespace ImagePublish.Signing.Notation;

/// <summary>A key as a plugin knows it.</summary>
/// <param name="Id">What the plugin calls it.</param>
internal sealed record PluginKey(string Id)
{
    /// <summary>What the plugin is told with each question. Nothing secret is in it.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Config { get; init; } = [];

    public TimeSpan TimeLimit { get; init; } = TimeSpan.FromMinutes(1);
}

/// <summary>A signature with the certificates of its key.</summary>
internal sealed record CertifiedSignature(byte[] Signature, SigningCertificates Certificates);

/// <summary>An envelope that a plugin wrote itself, not yet verified.</summary>
internal sealed record PluginEnvelope(byte[] Content, IReadOnlyDictionary<string, string> Annotations);

/// <summary>A plugin of notation, which has a key with its certificates, or reaches a service or a module that has them.</summary>
/// <remarks>
/// <see href="https://github.com/notaryproject/specifications/blob/v1.1.0/specs/plugin-extensibility.md">Notation Extensibility for Signing
/// and Verification</see>. What it returns is verified before anybody else sees it.
/// </remarks>
internal sealed class NotationPlugin
{
    private const string Contract = "1.0";
    private const string SignsRaw = "SIGNATURE_GENERATOR.RAW";
    private const string WritesEnvelopes = "SIGNATURE_GENERATOR.ENVELOPE";
    private const int MaxAnswer = 4 << 20;
    private const int MaxAnnotations = 32;
    private const int MaxAnnotation = 4096;

    private static readonly Dictionary<string, SignatureAlgorithm> KeySpecs = new(StringComparer.Ordinal)
    {
        ["EC-256"] = SignatureAlgorithm.EcdsaSha256,
        ["EC-384"] = SignatureAlgorithm.EcdsaSha384,
        ["EC-521"] = SignatureAlgorithm.EcdsaSha512,
        ["RSA-2048"] = SignatureAlgorithm.RsaPssSha256,
        ["RSA-3072"] = SignatureAlgorithm.RsaPssSha384,
        ["RSA-4096"] = SignatureAlgorithm.RsaPssSha512,
    };

    private readonly string file;
    private readonly PluginKey key;
    private readonly JsonProgram program;
    private readonly Lazy<Task<bool>> isRaw;
    private readonly Lazy<Task<string>> keySpec;

    /// <param name="file">Its full path.</param>
    public NotationPlugin(string file, PluginKey key, Redactor redactor)
    {
        (this.file, this.key) = (file, key);
        program = new JsonProgram(file, redactor, Fail) { MaxAnswer = MaxAnswer, TimeLimit = key.TimeLimit };
        isRaw = new(() => AskForCapabilityAsync(CancellationToken.None));
        keySpec = new(() => AskForKeyAsync(CancellationToken.None));
    }

    // An unchanged publish does not start it.
    public string Id => $"plugin {file} {key.Id} {string.Join(' ', key.Config)}";

    /// <exception cref="ImagePublishException"><c>IMG6051</c>: always.</exception>
    public static ImagePublishException Unusable(string plugin, string reason, Exception? cause = null) =>
        new(
            DiagnosticCodes.NotationPluginFailed,
            $"No image can be signed with notation's plugin '{Text.Sanitize(plugin)}': {reason}.",
            cause
        );

    /// <summary>Whether it makes signatures, and not whole envelopes only.</summary>
    public Task<bool> SignsRawAsync(CancellationToken cancellationToken) => isRaw.Value.WaitAsync(cancellationToken);

    /// <summary>The algorithm that its key signs with.</summary>
    public async Task<SignatureAlgorithm> GetAlgorithmAsync(CancellationToken cancellationToken) =>
        KeySpecs[await keySpec.Value.WaitAsync(cancellationToken)];

    /// <summary>Signs the content of an envelope.</summary>
    public async Task<CertifiedSignature> SignAsync(byte[] data, DateTimeOffset now, CancellationToken cancellationToken)
    {
        const string Question = "generate-signature";
        var algorithm = await GetAlgorithmAsync(cancellationToken);
        var spec = await keySpec.Value;
        var (signature, certificates) = await AskAsync(
            Question,
            json =>
            {
                json.WriteString("keySpec", spec);
                json.WriteString("hashAlgorithm", NameOf(algorithm.Hash));
                json.WriteBase64String("payload", data);
            },
            answer =>
            {
                RequireKey(answer);
                RequireSame("signingAlgorithm", ReadText(answer, "signingAlgorithm"), NameOf(algorithm));
                var chain = SignatureJson.Required(answer, "certificateChain", JsonValueKind.Array, "it");
                return (
                    SignatureJson.Bytes(ReadText(answer, "signature"), "its signature"),
                    SignatureJson.Texts(chain, "it").Select(one => SignatureJson.Bytes(one, "a certificate")).ToList()
                );
            },
            cancellationToken
        );
        var signer = SigningCertificates.Create($"the plugin '{file}'", certificates, now);
        return new CertifiedSignature(RequireSignature(signer.Key, algorithm, data, signature), signer);
    }

    /// <summary>Lets it write an envelope.</summary>
    /// <param name="payload">What is signed, in JSON.</param>
    public Task<PluginEnvelope> WriteEnvelopeAsync(byte[] payload, string mediaType, CancellationToken cancellationToken) =>
        AskAsync(
            "generate-envelope",
            json =>
            {
                json.WriteString("payloadType", NotationEnvelope.PayloadType);
                json.WriteString("signatureEnvelopeType", mediaType);
                json.WriteBase64String("payload", payload);
            },
            answer =>
            {
                RequireSame("signatureEnvelopeType", ReadText(answer, "signatureEnvelopeType"), mediaType);
                var content = SignatureJson.Bytes(ReadText(answer, "signatureEnvelope"), "its envelope");
                if (content.Length > NotationEnvelope.MaxSize)
                    throw RefusedSignatureException.Malformed($"its envelope has more than {NotationEnvelope.MaxSize} bytes");
                return new PluginEnvelope(content, ReadAnnotations(answer));
            },
            cancellationToken
        );

    /// <summary>What is wrong with what it returned.</summary>
    public ImagePublishException Fail(string reason, Exception? cause = null) => Unusable(file, reason, cause);

    private Task<bool> AskForCapabilityAsync(CancellationToken cancellationToken) =>
        AskAsync(
            "get-plugin-metadata",
            _ => { },
            answer =>
            {
                var contracts = SignatureJson.Texts(
                    SignatureJson.Required(answer, "supportedContractVersions", JsonValueKind.Array, "it"),
                    "it"
                );
                if (!contracts.Contains(Contract))
                    throw RefusedSignatureException.Malformed(
                        $"it knows the versions {Text.Sanitize(string.Join(", ", contracts))} of the protocol, and {Contract} is asked for"
                    );
                var capabilities = SignatureJson.Texts(SignatureJson.Required(answer, "capabilities", JsonValueKind.Array, "it"), "it");
                return capabilities.Contains(SignsRaw)
                    || (
                        capabilities.Contains(WritesEnvelopes)
                            ? false
                            : throw RefusedSignatureException.Malformed(
                                $"it can't sign: of {SignsRaw} and {WritesEnvelopes} it names neither"
                            )
                    );
            },
            cancellationToken
        );

    private Task<string> AskForKeyAsync(CancellationToken cancellationToken) =>
        AskAsync(
            "describe-key",
            _ => { },
            answer =>
            {
                RequireKey(answer);
                var spec = ReadText(answer, "keySpec");
                return KeySpecs.ContainsKey(spec)
                    ? spec
                    : throw RefusedSignatureException.Malformed(
                        $"its key is '{Text.Sanitize(spec)}', and must be one of {string.Join(", ", KeySpecs.Keys)}"
                    );
            },
            cancellationToken
        );

    private Task<T> AskAsync<T>(
        string command,
        Action<Utf8JsonWriter> write,
        Func<JsonElement, T> read,
        CancellationToken cancellationToken
    ) =>
        program.AskAsync(
            command,
            [command],
            json =>
            {
                json.WriteString("contractVersion", Contract);
                json.WriteString("keyId", key.Id);
                if (key.Config.Count > 0)
                {
                    json.WriteStartObject("pluginConfig");
                    foreach (var (name, value) in key.Config)
                        json.WriteString(name, value);
                    json.WriteEndObject();
                }

                write(json);
            },
            read,
            cancellationToken
        );

    private void RequireKey(JsonElement answer) => RequireSame("keyId", ReadText(answer, "keyId"), key.Id);

    private static void RequireSame(string name, string answered, string asked)
    {
        if (answered != asked)
            throw RefusedSignatureException.Malformed($"its '{name}' is '{Text.Sanitize(answered)}' and not '{Text.Sanitize(asked)}'");
    }

    private byte[] RequireSignature(VerificationKey publicKey, SignatureAlgorithm algorithm, byte[] data, byte[] signature)
    {
        if (publicKey.NotationAlgorithm != algorithm)
            throw Fail($"its key is {publicKey.Description} by its certificate, and another one by its answer to 'describe-key'");
        if (publicKey.Verify(algorithm, data, signature))
            return signature;
        // As with other programs, services differ in how they write ECDSA's two numbers.
        if (algorithm.Kind == SignatureKind.Ecdsa && publicKey.Verify(algorithm, data, signature, DSASignatureFormat.Rfc3279DerSequence))
            return EcdsaSignature.ToNumbers(signature, publicKey);
        throw Fail($"its signature does not verify with the key of its certificate ({publicKey.Description})");
    }

    private static SortedDictionary<string, string> ReadAnnotations(JsonElement answer)
    {
        var annotations = new SortedDictionary<string, string>(StringComparer.Ordinal);
        if (SignatureJson.Optional(answer, "annotations", JsonValueKind.Object, "it") is not { } named)
            return annotations;
        foreach (var one in named.EnumerateObject())
        {
            var value = SignatureJson.Text(named, one.Name, "its annotations");
            if (annotations.Count == MaxAnnotations || one.Name.Length + value.Length > MaxAnnotation)
                throw RefusedSignatureException.Malformed(
                    $"its annotations are too large: {MaxAnnotations} with {MaxAnnotation} characters each are accepted"
                );
            annotations[one.Name] = value;
        }

        return annotations;
    }

    private static string ReadText(JsonElement answer, string name) => SignatureJson.Text(answer, name, "it");

    private static string NameOf(HashAlgorithmName hash) => $"SHA-{hash.Name![3..]}";

    private static string NameOf(SignatureAlgorithm algorithm) =>
        $"{(algorithm.Kind == SignatureKind.Ecdsa ? "ECDSA" : "RSASSA-PSS")}-{NameOf(algorithm.Hash)}";
}

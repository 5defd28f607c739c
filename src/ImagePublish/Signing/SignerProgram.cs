using System.Security.Cryptography;
using System.Text.Json;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Trust;

namespace ImagePublish.Signing;

/// <summary>A program that has the key, or reaches a service or a module that has it. <c>docs/trust.md</c> has the protocol.</summary>
/// <remarks>What it returns is verified with the public key that it names, before anybody else sees it.</remarks>
internal sealed class SignerProgram : Signer
{
    private const int Version = 1;

    private readonly string file;
    private readonly string? keyName;
    private readonly JsonProgram program;
    private readonly Lazy<Task<VerificationKey>> key;

    /// <param name="file">Its full path.</param>
    /// <param name="keyName">What it calls the key; null where it has one only.</param>
    public SignerProgram(string file, string? keyName, Redactor redactor)
    {
        (this.file, this.keyName) = (file, keyName);
        program = new JsonProgram(file, redactor, Fail);
        key = new(() => AskForKeyAsync(CancellationToken.None));
    }

    // An unchanged publish does not start it.
    public override string Id => $"program {file} {keyName}";

    public override Task<VerificationKey> GetPublicKeyAsync(CancellationToken cancellationToken) => key.Value.WaitAsync(cancellationToken);

    /// <exception cref="ImagePublishException"><c>IMG6030</c>: always.</exception>
    public static ImagePublishException Unusable(string program, string reason, Exception? cause = null) =>
        new(DiagnosticCodes.SignerFailed, $"No image can be signed with the program '{Text.Sanitize(program)}': {reason}.", cause);

    protected override async Task<byte[]> SignAsync(
        ReadOnlyMemory<byte> data,
        SignatureAlgorithm algorithm,
        CancellationToken cancellationToken
    )
    {
        var publicKey = await GetPublicKeyAsync(cancellationToken);
        var signature = await AskAsync(
            "sign",
            json =>
            {
                json.WriteString("algorithm", NameOf(algorithm));
                if (algorithm.Kind != SignatureKind.Ed25519)
                    json.WriteBase64String("digest", CryptographicOperations.HashData(algorithm.Hash, data.Span));
                json.WriteBase64String("message", data.Span);
            },
            answer => answer.GetProperty("signature").GetBytesFromBase64(),
            cancellationToken
        );
        if (publicKey.Verify(algorithm, data.Span, signature, DSASignatureFormat.Rfc3279DerSequence))
            return signature;
        // Services differ in how they write ECDSA's two numbers.
        if (algorithm.Kind == SignatureKind.Ecdsa && publicKey.Verify(algorithm, data.Span, signature))
            return EcdsaSignature.ToDer(signature);
        throw Fail($"its signature ({NameOf(algorithm)}) does not verify with the public key that it names ({publicKey.Description})");
    }

    private static string NameOf(SignatureAlgorithm algorithm) =>
        algorithm.Kind switch
        {
            SignatureKind.Ed25519 => "Ed25519",
            SignatureKind.Ecdsa => $"ECDSA-{algorithm.Hash.Name}",
            SignatureKind.RsaPss => $"RSA-PSS-{algorithm.Hash.Name}",
            _ => $"RSA-PKCS1-{algorithm.Hash.Name}",
        };

    private async Task<VerificationKey> AskForKeyAsync(CancellationToken cancellationToken)
    {
        var pem = await AskAsync("publicKey", _ => { }, answer => answer.GetProperty("publicKey").GetString() ?? "", cancellationToken);
        try
        {
            return PemEncoding.TryFind(pem, out var fields) && pem.AsSpan(fields.Label) is "PUBLIC KEY"
                ? VerificationKey.Read(Convert.FromBase64String(pem[fields.Base64Data]))
                : throw Fail("its public key is not in PEM, which begins with '-----BEGIN PUBLIC KEY-----'");
        }
        catch (CryptographicException exception)
        {
            throw Fail($"its public key can't be used: {Text.Sanitize(exception.Message).TrimEnd('.')}", exception);
        }
    }

    private Task<T> AskAsync<T>(
        string method,
        Action<Utf8JsonWriter> write,
        Func<JsonElement, T> read,
        CancellationToken cancellationToken
    ) =>
        program.AskAsync(
            method,
            [],
            json =>
            {
                json.WriteNumber("version", Version);
                json.WriteString("method", method);
                if (keyName is not null)
                    json.WriteString("key", keyName);
                write(json);
            },
            read,
            cancellationToken
        );

    private ImagePublishException Fail(string reason, Exception? cause = null) => Unusable(file, reason, cause);
}

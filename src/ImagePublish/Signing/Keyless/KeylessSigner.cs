using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Http;
using ImagePublish.Oci;
using ImagePublish.Trust;

namespace ImagePublish.Signing.Keyless;

/// <summary>Signs with a key that lives for some minutes. An authority certifies whose it is, and a log that everybody can read keeps the
/// signature.</summary>
internal sealed class KeylessSigner(KeylessRequest request, ServiceClient services)
{
    private static readonly TimeSpan Margin = TimeSpan.FromMinutes(1);

    // Fulcio's clock and this one may differ by so much.
    private static readonly TimeSpan ClockTolerance = TimeSpan.FromMinutes(1);

    private readonly KeylessServices sigstore = new(request, services);
    private readonly Lock gate = new();
    private Task<Certified>? current;

    /// <summary>Who signs, as it is shown; null before it is known.</summary>
    public string? Signer => current is { IsCompletedSuccessfully: true } known ? known.Result.Identity.Description : null;

    /// <summary>Has the certificate issued, unless there is one.</summary>
    /// <exception cref="ImagePublishException"><c>IMG6040</c> to <c>IMG6045</c>, <c>IMG6024</c>.</exception>
    public Task PrepareAsync(CancellationToken cancellationToken) => CertifyAsync(cancellationToken);

    /// <summary>Signs a statement.</summary>
    /// <returns>The bundle.</returns>
    /// <exception cref="ImagePublishException"><c>IMG6040</c> to <c>IMG6045</c>, <c>IMG6024</c>.</exception>
    public async Task<byte[]> SignAsync(ReadOnlyMemory<byte> statement, CancellationToken cancellationToken)
    {
        var certified = await CertifyAsync(cancellationToken);
        var signed = SigstoreBundle.SignedBytes(statement.Span);
        var signature = certified.Sign(signed);
        var logs = sigstore.FindLogs(atTag: false);
        var stamps = await sigstore.StampAsync(signature, isNeeded: logs.Any(log => log.IsSecondVersion), cancellationToken);
        var entries = await Task.WhenAll(logs.Select(log => sigstore.LogAsync(log, Write(log), cancellationToken)));
        var bundle = SignaturePayload.WriteBundle(statement, signature, json =>
            WriteMaterial(json, certified.Certificate, entries, stamps)
        );
        Require(new CosignSignature(SigstoreBundle.Read(bundle)));
        return bundle;

        byte[] Write(SignatureLog log) =>
            log.IsSecondVersion
                ? WriteSecondEntry(signed, signature, certified.Certificate)
                : WriteEntry(statement, signature, certified.Certificate);
    }

    /// <summary>Signs an image for the tag <c>sha256-….sig</c>. The log's time is enough there.</summary>
    /// <exception cref="ImagePublishException"><c>IMG6040</c> to <c>IMG6045</c>, <c>IMG6024</c>.</exception>
    public async Task<TagSignature> SignTagAsync(Digest image, string reference, CancellationToken cancellationToken)
    {
        var certified = await CertifyAsync(cancellationToken);
        var payload = SignaturePayload.WriteSimple(image, reference);
        var signature = certified.Sign(payload);
        // The annotations have one entry.
        var log = sigstore.FindLogs(atTag: true)[0];
        var logged = await sigstore.LogAsync(log, WriteHashEntry(payload, signature, certified.Certificate), cancellationToken);
        var signed = TagSignature.Create(payload, signature) with
        {
            Material = new Dictionary<string, string>
            {
                [SimpleSigning.CertificateAnnotation] = certified.Certificate.ExportCertificatePem() + '\n',
                [SimpleSigning.ChainAnnotation] = WriteChain(certified.Certificate),
                [SimpleSigning.LogAnnotation] = logged.WriteAnnotation(),
            },
        };
        Require(new CosignSignature(SimpleSigning.Read(payload, signed.Layer.Annotations!)));
        return signed;
    }

    /// <summary>Whether a signature of an image is this signer's: so verified as anybody would.</summary>
    public async Task<bool> VerifiesAsync(SignatureArtifact artifact, Digest image, CancellationToken cancellationToken)
    {
        if (artifact.Problem is not null || !artifact.HasCertificate)
            return false;
        var signature = artifact.ReadCosign();
        var found = signature.VerifyKeyless(request.Root);
        signature.RequireTarget(image);
        // Only now it is worth to ask who we are.
        var own = (await CertifyAsync(cancellationToken)).Identity;
        return found.Subject == own.Subject && found.Issuer == own.Issuer;
    }

    // One certificate for all that is signed while it is valid.
    private Task<Certified> CertifyAsync(CancellationToken cancellationToken)
    {
        lock (gate)
        {
            if (current is null or { IsFaulted: true } or { IsCanceled: true } || HasExpired(current))
                current = CreateAsync(cancellationToken);
            return current;
        }
    }

    private bool HasExpired(Task<Certified> known) =>
        known.IsCompletedSuccessfully && services.Time.GetUtcNow() >= known.Result.Certificate.NotAfter - Margin;

    private async Task<Certified> CreateAsync(CancellationToken cancellationToken)
    {
        var token = await IdentityToken.FindAsync(request.Source, services, cancellationToken);
        var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        try
        {
            var certificate = await sigstore.CertifyAsync(token, key, cancellationToken);
            RequireClock(certificate);
            if (!certificate.PublicKey.ExportSubjectPublicKeyInfo().AsSpan().SequenceEqual(key.ExportSubjectPublicKeyInfo()))
                throw Unverified("its certificate is for another key");
            return new Certified(key, certificate, KeylessVerification.VerifyCertificate(request.Root, certificate, certificate.NotBefore));
        }
        catch (RefusedSignatureException exception)
        {
            key.Dispose();
            throw Unverified(exception.Message, exception);
        }
        catch
        {
            key.Dispose();
            throw;
        }
    }

    private void RequireClock(X509Certificate2 certificate)
    {
        var now = services.Time.GetUtcNow();
        var (from, to) = ((DateTimeOffset)certificate.NotBefore, (DateTimeOffset)certificate.NotAfter);
        if (now < from - ClockTolerance || now > to)
            throw new ImagePublishException(
                DiagnosticCodes.ClockOff,
                $"The clock of this machine says {Text.Rfc3339(now)}, and the signing certificate that was just issued is valid from "
                    + $"{Text.Rfc3339(from)} to {Text.Rfc3339(to)}. Set the clock."
            );
    }

    // Before anybody can see it: what does not verify here would verify nowhere.
    private void Require(CosignSignature signature)
    {
        try
        {
            signature.VerifyKeyless(request.Root);
        }
        catch (RefusedSignatureException exception)
        {
            throw Unverified(exception.Message, exception);
        }
    }

    private static ImagePublishException Unverified(string reason, Exception? cause = null) =>
        new(
            DiagnosticCodes.NotSigned,
            $"The keyless signature that was made does not verify: {reason}. Check that ImageSigstoreRoot is the trusted root of the "
                + "services that were asked.",
            cause
        );

    private static byte[] WriteEntry(ReadOnlyMemory<byte> statement, byte[] signature, X509Certificate2 certificate)
    {
        var envelope = Encoding.UTF8.GetString(SignaturePayload.WriteEnvelope(statement, signature));
        var verifier = Encoding.ASCII.GetBytes(certificate.ExportCertificatePem() + '\n');
        return OciJson.Write(json =>
        {
            json.WriteStartObject();
            json.WriteString("apiVersion", "0.0.1");
            json.WriteString("kind", "dsse");
            json.WriteStartObject("spec");
            json.WriteStartObject("proposedContent");
            json.WriteString("envelope", envelope);
            json.WriteStartArray("verifiers");
            json.WriteBase64StringValue(verifier);
            json.WriteEndArray();
            json.WriteEndObject();
            json.WriteEndObject();
            json.WriteEndObject();
        });
    }

    private static byte[] WriteHashEntry(byte[] payload, byte[] signature, X509Certificate2 certificate) =>
        OciJson.Write(json =>
        {
            json.WriteStartObject();
            json.WriteString("apiVersion", "0.0.1");
            json.WriteString("kind", "hashedrekord");
            json.WriteStartObject("spec");
            json.WriteStartObject("signature");
            json.WriteBase64String("content", signature);
            json.WriteStartObject("publicKey");
            json.WriteBase64String("content", Encoding.ASCII.GetBytes(certificate.ExportCertificatePem() + '\n'));
            json.WriteEndObject();
            json.WriteEndObject();
            json.WriteStartObject("data");
            json.WriteStartObject("hash");
            json.WriteString("algorithm", "sha256");
            json.WriteString("value", Convert.ToHexStringLower(SHA256.HashData(payload)));
            json.WriteEndObject();
            json.WriteEndObject();
            json.WriteEndObject();
            json.WriteEndObject();
        });

    // The second version has no kind for envelopes: the hash is that of what is signed, and nothing of the statement is sent.
    // https://github.com/sigstore/architecture-docs/blob/main/client-spec.md, "Transparency Log Entry"
    private static byte[] WriteSecondEntry(byte[] signed, byte[] signature, X509Certificate2 certificate) =>
        OciJson.Write(json =>
        {
            json.WriteStartObject();
            json.WriteStartObject("hashedRekordRequestV002");
            json.WriteBase64String("digest", SHA256.HashData(signed));
            json.WriteStartObject("signature");
            json.WriteBase64String("content", signature);
            json.WriteStartObject("verifier");
            json.WriteStartObject("x509Certificate");
            json.WriteBase64String("rawBytes", certificate.RawData);
            json.WriteEndObject();
            json.WriteString("keyDetails", "PKIX_ECDSA_P256_SHA_256");
            json.WriteEndObject();
            json.WriteEndObject();
            json.WriteEndObject();
            json.WriteEndObject();
        });

    private string WriteChain(X509Certificate2 certificate)
    {
        var authority = request.Root.Authorities.First(one =>
            one.Chain.Any(issuer => issuer.SubjectName.RawData.AsSpan().SequenceEqual(certificate.IssuerName.RawData))
        );
        return string.Concat(authority.Chain.Select(one => one.ExportCertificatePem() + '\n'));
    }

    private static void WriteMaterial(
        Utf8JsonWriter json,
        X509Certificate2 certificate,
        IReadOnlyList<LogEntry> entries,
        IReadOnlyList<byte[]> stamps
    )
    {
        json.WriteStartObject("certificate");
        json.WriteBase64String("rawBytes", certificate.RawData);
        json.WriteEndObject();
        json.WriteStartArray("tlogEntries");
        foreach (var entry in entries)
            entry.Write(json);
        json.WriteEndArray();
        if (stamps.Count == 0)
            return;
        json.WriteStartObject("timestampVerificationData");
        json.WriteStartArray("rfc3161Timestamps");
        foreach (var stamp in stamps)
        {
            json.WriteStartObject();
            json.WriteBase64String("signedTimestamp", stamp);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    /// <summary>A key with its certificate. It has no text form.</summary>
    private sealed class Certified(ECDsa key, X509Certificate2 certificate, KeylessIdentity identity)
    {
        public X509Certificate2 Certificate => certificate;

        public KeylessIdentity Identity => identity;

        public byte[] Sign(byte[] data) => key.SignData(data, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
    }
}

using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using ImagePublish.Attachments;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Http;
using ImagePublish.Oci;
using ImagePublish.Trust;

namespace ImagePublish.Signing.Notation;

/// <summary>Makes signatures of the Notary Project, verifies each before anybody else sees it, and knows which are its own.</summary>
internal sealed class NotationSigner(NotationRequest request, ServiceClient services)
{
    private const string ThumbprintAnnotation = "io.cncf.notary.x509chain.thumbprint#S256";
    private const string CreatedAnnotation = "org.opencontainers.image.created";

    private static readonly string[] TargetNames =
    [
        "mediaType",
        "digest",
        "size",
        "annotations",
        "urls",
        "data",
        "platform",
        "artifactType",
    ];

    private readonly ConcurrentDictionary<Digest, Lazy<Task<Signed>>> made = new();

    private sealed record Signed(AttachedManifest Manifest, CertificateChain Chain);

    /// <summary>Who signs, as it is shown; null before a plugin told.</summary>
    public string? Signer =>
        request.Key?.Certificates.Chain.Signer
        ?? made.Values.Where(one => one.IsValueCreated && one.Value.IsCompletedSuccessfully)
            .Select(one => one.Value.Result.Chain.Signer)
            .FirstOrDefault();

    /// <summary>Signs an image, once for all destinations.</summary>
    /// <returns>The signature, to be attached to the image.</returns>
    public async Task<AttachedManifest> SignAsync(Descriptor image, CancellationToken cancellationToken) =>
        (await SignOnceAsync(image, cancellationToken)).Manifest;

    /// <summary>Whether a signature of an image is this signer's, and would be accepted by who trusts its root.</summary>
    public async Task<bool> VerifiesAsync(SignatureArtifact artifact, Descriptor image, CancellationToken cancellationToken)
    {
        if (artifact.Problem is not null)
            return false;
        var envelope = artifact.ReadNotation();
        envelope.RequireTarget(image.Digest);
        if (envelope.TimeStamp is null && await WantsTimeStampAsync(cancellationToken))
            return false;
        var own = request.Key?.Certificates.Chain ?? (await SignOnceAsync(image, cancellationToken)).Chain;
        RequireAccepted(envelope, own, image);
        return envelope.Chain.Leaf.RawData.AsSpan().SequenceEqual(own.Leaf.RawData);
    }

    // A plugin that writes envelopes gets time-stamps itself.
    private async Task<bool> WantsTimeStampAsync(CancellationToken cancellationToken) =>
        request.TimeStamps is not null && (request.Plugin is not { } plugin || await plugin.SignsRawAsync(cancellationToken));

    // As by who trusts its root; of what only a plugin can verify in full, the signature and what it is about.
    private void RequireAccepted(NotationEnvelope envelope, CertificateChain own, Descriptor image)
    {
        if (envelope.PluginHeader is not null)
            return;
        var root = new TrustAnchors([own.Certificates[^1]]);
        new NotationRule { Authorities = root, SigningAuthorities = root }.Verify(envelope, image.Digest, services.Time.GetUtcNow());
    }

    private Task<Signed> SignOnceAsync(Descriptor image, CancellationToken cancellationToken) =>
        made.GetOrAdd(image.Digest, _ => new Lazy<Task<Signed>>(() => CreateAsync(image, cancellationToken))).Value;

    private async Task<Signed> CreateAsync(Descriptor image, CancellationToken cancellationToken)
    {
        var payload = UnsignedEnvelope.WritePayload(image);
        var written =
            request.Plugin is { } plugin && !await plugin.SignsRawAsync(cancellationToken)
                ? await plugin.WriteEnvelopeAsync(payload, request.Envelope, cancellationToken)
                : new PluginEnvelope(await ComposeAsync(payload, cancellationToken), new Dictionary<string, string>());
        var chain = Require(written.Content, image);
        var annotations = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, value) in written.Annotations)
            annotations[name] = value;
        annotations[ThumbprintAnnotation] = WriteThumbprints(chain);
        annotations[CreatedAnnotation] = Text.Rfc3339(services.Time.GetUtcNow());
        var layer = MemoryBlobSource.Create(request.Envelope, written.Content);
        return new Signed(AttachedManifest.Create(NotationEnvelope.ArtifactType, image, [(layer, null)], annotations), chain);
    }

    private static string WriteThumbprints(CertificateChain chain) =>
        Encoding.UTF8.GetString(
            OciJson.Write(json =>
            {
                json.WriteStartArray();
                foreach (var certificate in chain.Certificates)
                    json.WriteStringValue(certificate.GetCertHashString(HashAlgorithmName.SHA256).ToLowerInvariant());
                json.WriteEndArray();
            })
        );

    private async Task<byte[]> ComposeAsync(byte[] payload, CancellationToken cancellationToken)
    {
        var now = services.Time.GetUtcNow();
        var algorithm = request.Plugin is { } plugin
            ? await plugin.GetAlgorithmAsync(cancellationToken)
            : request.Key!.Certificates.Key.NotationAlgorithm;
        var envelope = UnsignedEnvelope.Create(request.Envelope, payload, algorithm, now);
        var (signature, certificates) = request.Plugin is null
            ? await SignAsync(request.Key!, envelope.SignedBytes, cancellationToken)
            : await request.Plugin.SignAsync(envelope.SignedBytes, now, cancellationToken);
        return envelope.Write(signature, certificates.Chain.Certificates, await StampAsync(signature, algorithm, cancellationToken));
    }

    private static async Task<CertifiedSignature> SignAsync(CertifiedKey signer, byte[] data, CancellationToken cancellationToken)
    {
        // Which key a program has is known when it is asked.
        signer.Certificates.RequireKey(await signer.Key.GetPublicKeyAsync(cancellationToken));
        return new CertifiedSignature(await signer.Key.SignEnvelopeAsync(data, cancellationToken), signer.Certificates);
    }

    private async Task<byte[]?> StampAsync(byte[] signature, SignatureAlgorithm algorithm, CancellationToken cancellationToken)
    {
        if (request.TimeStamps is not { } authority)
            return null;
        const string Advice =
            "Check ImageTimeStampUrl, or leave it out: then the signature ends with its certificates. Publish again later.";
        var stamp = await new TimeStampClient(services).StampAsync(authority, signature, algorithm.Hash, Advice, cancellationToken);
        var token = stamp.Token.AsSignedCms();
        var content = token.Encode();
        try
        {
            // Whether its authority is trusted is for readers to decide; that it is no weak or altered one is not.
            TimeStamp.Verify(content, signature, new TrustAnchors(token.Certificates));
            return content;
        }
        catch (RefusedSignatureException exception)
        {
            throw new ImagePublishException(
                DiagnosticCodes.TimeStampRefused,
                $"The time-stamp of {authority.Shown} can't be used: {exception.Message}. {Advice}",
                exception
            );
        }
    }

    // Before it is uploaded: what does not verify here would verify nowhere.
    private CertificateChain Require(byte[] content, Descriptor image)
    {
        try
        {
            var envelope = NotationEnvelope.Read(request.Envelope, content);
            envelope.RequireTarget(image.Digest);
            RequireTarget(envelope, image);
            // An envelope that a plugin wrote has certificates of its own.
            if (request.Plugin is not null)
                _ = SigningCertificates.Create(
                    "the plugin's envelope",
                    [.. envelope.Chain.Certificates.Select(one => one.RawData)],
                    services.Time.GetUtcNow()
                );
            RequireAccepted(envelope, envelope.Chain, image);
            return envelope.Chain;
        }
        catch (RefusedSignatureException exception)
        {
            var reason = $"the signature that it made does not verify: {exception.Message}";
            throw request.Plugin?.Fail(reason, exception)
                ?? new ImagePublishException(DiagnosticCodes.NotSigned, $"The image can't be signed for Notation: {reason}.", exception);
        }
    }

    // A plugin may add annotations, and must change nothing else.
    private static void RequireTarget(NotationEnvelope envelope, Descriptor image)
    {
        using var payload = SignatureJson.Parse(envelope.Payload, "its payload");
        var target = SignatureJson.Required(payload.RootElement, "targetArtifact", JsonValueKind.Object, "its payload");
        var size = SignatureJson.Required(target, "size", JsonValueKind.Number, "its payload");
        if (
            SignatureJson.Text(target, "mediaType", "its payload") != image.MediaType
            || !size.TryGetInt64(out var bytes)
            || bytes != image.Size
        )
            throw RefusedSignatureException.Malformed(
                $"its payload is not about {image.Size.ToString(CultureInfo.InvariantCulture)} bytes of {image.MediaType}"
            );
        if (payload.RootElement.EnumerateObject().Count() != 1 || target.EnumerateObject().Any(part => !TargetNames.Contains(part.Name)))
            throw RefusedSignatureException.Malformed("its payload says more than what is signed");
    }
}

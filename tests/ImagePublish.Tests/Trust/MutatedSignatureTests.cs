using System.Security.Cryptography.Cose;
using System.Text;
using System.Text.Json;
using ImagePublish.Oci;
using ImagePublish.Trust;

namespace ImagePublish.Tests.Trust;

/// <summary>Signatures with bytes that are changed, cut or doubled at random: each is refused, or still says the same.</summary>
public sealed class MutatedSignatureTests
{
    private const int Rounds = 1500;

    private static readonly Digest Subject = Digest.Compute("image"u8);

    private static readonly Repository Repository = Repository.Create(Registry.Parse("registry.example.test"), "acme/base");

    public static TheoryData<string> Forms =>
        [NotationWriter.JwsType, NotationWriter.CoseType, SigstoreBundle.MediaType, SimpleSigning.LayerType];

    [Theory]
    [MemberData(nameof(Forms))]
    public void NothingButARefusalComesOfIt(string form)
    {
        using var store = new TestStore();
        var authority = new TestAuthority();
        var signer = authority.Issue();
        var policy = new TrustPolicy([new CertificateRule("root.crt", new TrustAnchors([authority.Root])), CosignTests.Rule(signer.Key)]);
        var verifier = new ImageVerifier(null!, store.Store, TimeProvider.System);
        var honest = Honest(form, authority, signer);
        Assert.NotNull(verifier.Verify(policy, honest, Repository, Subject).Accepted);

        var random = new Random(7);
        var refused = 0;
        for (var round = 0; round < Rounds; round++)
        {
            var mutated = Mutate(honest.Content, random);
            var result = verifier.Verify(policy, honest with { Content = mutated }, Repository, Subject);
            if (result.Accepted is null)
            {
                refused++;
                continue;
            }

            // Only what nobody signs may differ: the agent, a time-stamp that is not needed, the key's hint.
            Assert.True(result.Accepted.Signer is "Acme signing" or "the key of cosign.pub");
            Assert.Equal(Signed(form, honest.Content), Signed(form, mutated));
        }

        Assert.InRange(refused, Rounds / 2, Rounds);
    }

    private static SignatureArtifact Honest(string form, TestAuthority authority, TestSigner signer)
    {
        var digest = Digest.Compute("artifact"u8);
        var options = new NotationOptions
        {
            Digest = Subject.Value,
            Expiry = DateTimeOffset.UtcNow.AddDays(1),
            Stamp = signature => authority.Stamp(signature, DateTimeOffset.UtcNow),
        };
        if (form is NotationWriter.JwsType or NotationWriter.CoseType)
            return new SignatureArtifact(SignatureForm.Notation, digest)
            {
                MediaType = form,
                Content = NotationWriter.Write(form, signer, options),
            };
        var payload = CosignTests.Payload(Subject.Value);
        return form == SimpleSigning.LayerType
            ? new SignatureArtifact(SignatureForm.SimpleSigning, digest)
            {
                Content = payload,
                Annotations = new Dictionary<string, string>
                {
                    [SimpleSigning.SignatureAnnotation] = Convert.ToBase64String(CosignTests.Sign(signer.Key, payload)),
                },
            }
            : new SignatureArtifact(SignatureForm.SigstoreBundle, digest)
            {
                Content = Encoding.UTF8.GetBytes(CosignTests.Bundle(CosignTests.Statement(Subject.Value), signer.Key).ToJsonString()),
            };
    }

    // What is signed, and the signature of it.
    private static string[] Signed(string form, ReadOnlyMemory<byte> content)
    {
        switch (form)
        {
            case SimpleSigning.LayerType:
                return [Convert.ToHexString(content.Span)];
            case NotationWriter.CoseType:
                var message = CoseMessage.DecodeSign1(content.Span);
                return
                [
                    Convert.ToHexString(message.RawProtectedHeaders.Span),
                    Convert.ToHexString(message.Content!.Value.Span),
                    Convert.ToHexString(message.Signature.Span),
                ];
        }

        using var document = JsonDocument.Parse(content);
        var root = document.RootElement;
        if (form == NotationWriter.JwsType)
            return [.. ((string[])["protected", "payload"]).Select(name => root.GetProperty(name).GetString()!)];
        var envelope = root.GetProperty("dsseEnvelope");
        return
        [
            envelope.GetProperty("payloadType").GetString()!,
            Convert.ToHexString(envelope.GetProperty("payload").GetBytesFromBase64()),
            Convert.ToHexString(envelope.GetProperty("signatures")[0].GetProperty("sig").GetBytesFromBase64()),
        ];
    }

    private static byte[] Mutate(ReadOnlyMemory<byte> content, Random random)
    {
        var bytes = content.ToArray();
        var at = random.Next(bytes.Length);
        switch (random.Next(4))
        {
            case 0:
                bytes[at] ^= (byte)(1 << random.Next(8));
                return bytes;
            case 1:
                bytes[at] = (byte)random.Next(256);
                return bytes;
            case 2:
                return bytes[..at];
            default:
                var length = Math.Min(random.Next(1, 40), bytes.Length - at);
                return [.. bytes[..at], .. bytes[at..(at + length)], .. bytes[at..]];
        }
    }
}

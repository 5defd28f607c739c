using System.Text;
using ImagePublish.Oci;
using ImagePublish.Tests.Storage;
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
            var result = verifier.Verify(policy, honest with { Content = Mutate(honest.Content, random) }, Repository, Subject);
            if (result.Accepted is null)
                refused++;
            // Only what nobody signs may differ: the agent, a time-stamp that is not needed, the key's hint.
            Assert.True(result.Accepted is null || result.Accepted.Signer is "Acme signing" or "the key of cosign.pub");
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

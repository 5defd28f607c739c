using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Signing.Keyless;
using ImagePublish.Testing;
using ImagePublish.Tests.Registries;
using ImagePublish.Tests.Signing;
using ImagePublish.Trust;

namespace ImagePublish.Tests.Trust;

/// <summary>Keyless signatures, with each of their parts altered, and trusted roots and policies with something wrong about them.</summary>
public sealed class KeylessTests : IAsyncLifetime
{
    private static readonly Digest Image = Digest.Compute("image"u8);
    private static readonly Repository Shop = Repository.Create(Registry.Parse("registry.example.com"), "acme/shop");

    private readonly FakeSigstore sigstore = new();
    private RegistryBench bench = null!;
    private byte[] bundle = [];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        bench = await RegistryBench.StartAsync();
        bundle = await SignAsync(sigstore.Request());
    }

    public async ValueTask DisposeAsync()
    {
        await bench.DisposeAsync();
        await sigstore.DisposeAsync();
    }

    [Fact]
    public void AnIntactOneIsAccepted() => Assert.Null(Verify(sigstore.Rule(), bundle).ValidUntil);

    /// <summary>A part of the bundle, by its path, and what is made of it.</summary>
    public static TheoryData<string, string, string, string> Altered =>
        [
            ("dsseEnvelope/signatures/0/sig", "flip", "IMG6018", "one of them was altered"),
            ("dsseEnvelope/payload", "other image", "IMG6018", "one of them was altered"),
            ("verificationMaterial/certificate/rawBytes", "flip", "IMG6018", ""),
            ("verificationMaterial/certificate/rawBytes", "flip the end", "IMG6018", "its log entry is of another certificate"),
            ("verificationMaterial/certificate", "remove", "IMG6019", "it comes without a certificate"),
            ("verificationMaterial/tlogEntries", "remove", "IMG6018", "no log has it"),
            ("verificationMaterial/tlogEntries/0/canonicalizedBody", "flip", "IMG6018", "the log did not promise it"),
            ("verificationMaterial/tlogEntries/0/integratedTime", "1", "IMG6019", "its log was not trusted at"),
            ("verificationMaterial/tlogEntries/0/integratedTime", "1700000000", "IMG6018", "the log did not promise it"),
            ("verificationMaterial/tlogEntries/0/integratedTime", "99999999999999", "IMG6018", "has an invalid time"),
            ("verificationMaterial/tlogEntries/0/integratedTime", "-1", "IMG6018", "that is not a number"),
            ("verificationMaterial/tlogEntries/0/logIndex", "7", "IMG6018", "the log did not promise it"),
            ("verificationMaterial/tlogEntries/0/logId/keyId", "flip", "IMG6019", "a log that is not trusted"),
            ("verificationMaterial/tlogEntries/0/inclusionPromise/signedEntryTimestamp", "flip", "IMG6018", "did not promise it"),
            ("verificationMaterial/tlogEntries/0/inclusionPromise", "remove", "IMG6018", "says when it was made"),
            ("verificationMaterial/tlogEntries/0/inclusionProof/hashes/0", "flip", "IMG6018", "does not lead to what the log signed"),
            ("verificationMaterial/tlogEntries/0/inclusionProof/hashes/0", "remove", "IMG6018", "hashes, and must have"),
            ("verificationMaterial/tlogEntries/0/inclusionProof/logIndex", "0", "IMG6018", "does not lead to what the log signed"),
            ("verificationMaterial/tlogEntries/0/inclusionProof/logIndex", "8", "IMG6018", "smaller than its index"),
            ("verificationMaterial/tlogEntries/0/inclusionProof/checkpoint/envelope", "larger", "IMG6018", "that the log did not sign"),
            ("verificationMaterial/tlogEntries/0/inclusionProof/checkpoint/envelope", "nonsense", "IMG6018", "malformed checkpoint"),
            ("verificationMaterial/tlogEntries/0/inclusionProof/checkpoint", "remove", "IMG6018", "malformed checkpoint"),
            ("verificationMaterial/tlogEntries", "many", "IMG6018", "that are not a list of at most 8 objects"),
        ];

    [Theory]
    [MemberData(nameof(Altered))]
    [ReliabilityCase(
        "Trust",
        "a keyless bundle with any one part altered or removed: signature, statement, certificate, log entry, its time, "
            + "promise, proof, checkpoint",
        "refused, naming the part that does not match"
    )]
    public void AnAlteredPartIsRefused(string path, string change, string code, string reason)
    {
        var altered = AlteredBundle.Create(bundle, path, change);

        var refused = Assert.Throws<RefusedSignatureException>(() => Verify(sigstore.Rule(), altered));

        Assert.True(
            code == refused.Code.Id && refused.Message.Contains(reason, StringComparison.Ordinal),
            $"{refused.Code}: {refused.Message}"
        );
    }

    // The promise alone is enough, as with the first bundles; the proof alone has no time.
    [Fact]
    public void ThePromiseOfALogIsEnough() =>
        Assert.NotNull(
            Verify(sigstore.Rule(), AlteredBundle.Create(bundle, "verificationMaterial/tlogEntries/0/inclusionProof", "remove"))
        );

    [Fact]
    [ReliabilityCase("Trust", "the log entry of one keyless signature next to another signature of the same identity", "refused")]
    public async Task TheEntryOfAnotherSignatureIsRefused()
    {
        var other = JsonNode.Parse(await SignAsync(sigstore.Request()))!;
        var document = JsonNode.Parse(bundle)!;
        document["verificationMaterial"]!["tlogEntries"] = other["verificationMaterial"]!["tlogEntries"]!.DeepClone();

        var refused = Assert.Throws<RefusedSignatureException>(() => Verify(sigstore.Rule(), Bytes(document)));

        Assert.Contains("that of another signature", refused.Message, StringComparison.Ordinal);
    }

    // What it signs, and who, is compared after all else.
    [Fact]
    public async Task TheSignatureOfAnotherImageIsRefused()
    {
        var other = await SignAsync(sigstore.Request(), Digest.Compute("other"u8));

        var refused = Assert.Throws<RefusedSignatureException>(() => Verify(sigstore.Rule(), other));

        Assert.Contains("the signature of another image", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("tlogs", "IMG6019", "its log was not trusted at")]
    [InlineData("ctlogs", "IMG6019", "no trusted log of certificates has its certificate")]
    [InlineData("certificateAuthorities", "IMG6019", "no authority of certificates was trusted when it was made")]
    [ReliabilityCase("Trust", "a log or an authority that, according to the trusted root, ended before the signature was made", "refused")]
    public void WhatTheRootEndedIsNotBelieved(string list, string code, string reason)
    {
        var root = sigstore.RootJson();
        var entry = root[list]!.AsArray()[^1]!;
        var range = (list == "certificateAuthorities" ? entry : entry["publicKey"]!)["validFor"]!;
        range["end"] = "2021-01-01T00:00:00Z";

        var refused = Assert.Throws<RefusedSignatureException>(() =>
            Verify(sigstore.Rule() with { Root = SigstoreRoot.Parse(Bytes(root)) }, bundle)
        );

        Assert.True(
            code == refused.Code.Id && refused.Message.Contains(reason, StringComparison.Ordinal),
            $"{refused.Code}: {refused.Message}"
        );
    }

    [Fact]
    public async Task AnotherInstanceIsNotBelieved()
    {
        await using var stranger = new FakeSigstore();

        var refused = Assert.Throws<RefusedSignatureException>(() => Verify(stranger.Rule(), bundle));

        Assert.Equal(DiagnosticCodes.SignerUntrusted, refused.Code);
    }

    // All else of it is as it should be.
    [Theory]
    [InlineData("tlogs", "IMG6019", "a log that is not trusted")]
    [InlineData("ctlogs", "IMG6019", "no trusted log of certificates has its certificate")]
    [InlineData(
        "certificateAuthorities",
        "IMG6018",
        $"the certificates of '{FakeSigstore.Subject}' are no valid chain (NotSignatureValid)"
    )]
    public async Task EachPartOfAnInstanceIsItsOwn(string list, string code, string reason)
    {
        await using var stranger = new FakeSigstore();
        var root = sigstore.RootJson();
        root[list] = stranger.RootJson()[list]!.DeepClone();

        var refused = Assert.Throws<RefusedSignatureException>(() =>
            Verify(sigstore.Rule() with { Root = SigstoreRoot.Parse(Bytes(root)) }, bundle)
        );

        Assert.True(
            code == refused.Code.Id && refused.Message.Contains(reason, StringComparison.Ordinal),
            $"{refused.Code}: {refused.Message}"
        );
    }

    [Theory]
    [InlineData("https://git.example.com/acme/*", true)]
    [InlineData("https://git.example.com/*/publish.yml@refs/heads/*", true)]
    [InlineData("*refs/heads/main", true)]
    [InlineData("https://git.example.com/acme/shop", false)]
    [InlineData("git.example.com/acme/*", false)]
    [InlineData("https://git.example.com/acme/*/main/*", false)]
    [InlineData("https://git.example.com/acme/shop/.ci/publish.yml@refs/heads/mai*in", false)]
    public void AStarStandsForAnyCharacters(string pattern, bool isAccepted)
    {
        if (isAccepted)
            Assert.NotNull(Verify(sigstore.Rule(pattern), bundle));
        else
            Assert.Equal(
                DiagnosticCodes.SignerUntrusted,
                Assert.Throws<RefusedSignatureException>(() => Verify(sigstore.Rule(pattern), bundle)).Code
            );
    }

    [Fact]
    public void TheRepositoryThatWasBuiltCanBeAskedFor()
    {
        var rule = sigstore.Rule();
        var pattern = rule.Identities[0];

        Assert.NotNull(
            Verify(rule with { Identities = [pattern with { SourceRepository = "https://git.example.com/acme/shop" }] }, bundle)
        );
        Assert.Throws<RefusedSignatureException>(() =>
            Verify(rule with { Identities = [pattern with { SourceRepository = "https://git.example.com/acme/other" }] }, bundle)
        );
        // The certificate does not say.
        Assert.Throws<RefusedSignatureException>(() => Verify(rule with { Identities = [pattern with { SourceRef = "*" }] }, bundle));
    }

    // RFC 9162 defines trees and paths; every leaf of every small tree.
    [Fact]
    public void EveryProofOfEveryTreeVerifies()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var info = key.ExportSubjectPublicKeyInfo();
        var log = new TransparencyLog("", SHA256.HashData(info), info, default);
        for (var size = 1; size <= 40; size++)
        {
            IReadOnlyList<byte[]> leaves = [.. Enumerable.Range(0, size).Select(at => Encoding.ASCII.GetBytes($"leaf {at}"))];
            var note = $"log\n{size}\n{Convert.ToBase64String(MerkleTree.Root(leaves))}\n";
            var signature = key.SignData(Encoding.UTF8.GetBytes(note), HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
            var checkpoint = $"{note}\n\u2014 log {Convert.ToBase64String([.. log.Id.Span[..4], .. signature])}\n";
            for (var at = 0; at < size; at++)
            {
                var proof = new InclusionProof(at, MerkleTree.Path(leaves, at), checkpoint);
                proof.Verify(log, leaves[at], hasNamedOrigin: true);
                Assert.Throws<RefusedSignatureException>(() => proof.Verify(log, "another"u8, hasNamedOrigin: true));
                if (size > 1)
                    Assert.Throws<RefusedSignatureException>(() =>
                        (proof with { Index = (at + 1) % size }).Verify(log, leaves[at], hasNamedOrigin: true)
                    );
            }
        }
    }

    [Fact]
    public void ThePublicInstanceIsKnown()
    {
        var root = SigstoreRoot.PublicGood;

        Assert.Single(root.Logs, log => log.IsFirstVersion && log.Validity.Contains(DateTimeOffset.UtcNow));
        Assert.Contains(root.Logs, log => !log.IsFirstVersion);
        Assert.Contains(root.Authorities, authority => authority.Validity.Contains(DateTimeOffset.UtcNow));
        Assert.NotEmpty(root.CertificateLogs);
        Assert.NotEmpty(root.TimeStampAuthorities);
        // C2SP's key id of the second version's log, by its name.
        var second = root.Logs.First(log => !log.IsFirstVersion);
        Assert.Equal(second.Id.ToArray(), second.NoteKeyId(new Uri(second.Address).Host));
    }

    public static TheoryData<string, string> Policies =>
        [
            ("""{"identities":[]}""", "it has 0 identities"),
            ("""{"identities":[{"issuer":"https://i","subject":"*"}]}""", "must have a subject that is more than '*'"),
            ("""{"identities":[{"issuer":"https://*","subject":"me"}]}""", "the whole address of an issuer"),
            ("""{"identities":[{"issuer":"","subject":"me"}]}""", "the whole address of an issuer"),
            ("""{"identities":[{"subject":"me"}]}""", "issuer"),
            ("""{"identities":[{"issuer":"https://i","subject":"me","subjects":"x"}]}""", "subjects"),
            ("""{"identities":[{"issuer":"https://i","subject":"me"}],"trustedRoot":"none.json"}""", "there is no such file"),
            ("""{"identities":[{"issuer":"https://i","subject":"me"}],"trustedRoot":"policy.json"}""", "it is not a trusted root"),
            ("""{"mediaType":"x","certificateAuthorities":[]}""", "it is a trusted root"),
        ];

    [Theory]
    [MemberData(nameof(Policies))]
    [ReliabilityCase("Trust", "a policy of identities that would trust everyone, or has a misspelled name", "IMG6016 with the reason")]
    public void APolicyThatCantBeMeantIsRefused(string content, string reason)
    {
        using var folder = new TemporaryPolicy(content);

        var error = Assert.Throws<ImagePublishException>(() => TrustFile.Read(folder.Path));

        Assert.True(
            error.Code == DiagnosticCodes.TrustUnusable && error.Message.Contains(reason, StringComparison.Ordinal),
            $"{error.Code}: {error.Message}"
        );
    }

    [Fact]
    public void APolicyNamesItsRootBesideIt()
    {
        using var folder = new TemporaryPolicy(
            $$"""{"trustedRoot":"root.json","identities":[{"issuer":"{{FakeSigstore.Issuer}}","subject":"{{FakeSigstore.Subject}}"}]}"""
        );
        File.WriteAllText(Path.Combine(Path.GetDirectoryName(folder.Path)!, "root.json"), sigstore.RootJson().ToJsonString());

        Assert.NotNull(Verify(TrustFile.Read(folder.Path), bundle));
    }

    internal static AcceptedSignature Verify(TrustRule rule, byte[] content) =>
        rule.Verify(
            new SignatureArtifact(SignatureForm.SigstoreBundle, Digest.Compute(content))
            {
                MediaType = SigstoreBundle.MediaType,
                Content = content,
            },
            Shop,
            Image,
            DateTimeOffset.UtcNow
        );

    private async Task<byte[]> SignAsync(KeylessRequest request, Digest? image = null)
    {
        var signer = new KeylessSigner(request, bench.Client.Services);
        return await signer.SignAsync(CosignTests.Statement((image ?? Image).Value), Cancel);
    }

    private static byte[] Bytes(JsonNode document) => Encoding.UTF8.GetBytes(document.ToJsonString());

    private sealed class TemporaryPolicy : IDisposable
    {
        private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("imagepublish-policy-");

        public TemporaryPolicy(string content) => File.WriteAllText(Path, content);

        public string Path => System.IO.Path.Combine(folder.FullName, "policy.json");

        public void Dispose() => folder.Delete(recursive: true);
    }
}

/// <summary>A bundle with one part altered.</summary>
internal static class AlteredBundle
{
    /// <param name="path">The part, by its path.</param>
    /// <param name="change">What is made of it.</param>
    public static byte[] Create(byte[] bundle, string path, string change)
    {
        var document = JsonNode.Parse(bundle)!;
        var parts = path.Split('/');
        var parent = document;
        foreach (var part in parts[..^1])
            parent = char.IsAsciiDigit(part[0]) ? parent[int.Parse(part, CultureInfo.InvariantCulture)]! : parent[part]!;
        var last = parts[^1];
        var value = char.IsAsciiDigit(last[0]) ? parent[int.Parse(last, CultureInfo.InvariantCulture)]! : parent[last]!;
        if (change == "remove")
        {
            if (parent is JsonArray list)
                list.RemoveAt(int.Parse(last, CultureInfo.InvariantCulture));
            else
                ((JsonObject)parent).Remove(last);
            return Bytes(document);
        }

        JsonNode altered = change switch
        {
            "flip" => Flip((string)value!),
            // Of the authority's signature, so that all that it signed is as it was.
            "flip the end" => FlipLast((string)value!),
            "other image" => Convert.ToBase64String(CosignTests.Statement(Digest.Compute("other"u8).Value)),
            // Both logs have seven or eight entries.
            "larger" => ((string)value!)
                .Replace("\n8\n", "\n9\n", StringComparison.Ordinal)
                .Replace("\n7\n", "\n9\n", StringComparison.Ordinal),
            "renamed" => ((string)value!).Replace("127.0.0.1", "other.example", StringComparison.Ordinal),
            "many" => new JsonArray([.. Enumerable.Range(0, 9).Select(_ => value[0]!.DeepClone())]),
            _ => change,
        };
        if (parent is JsonArray array)
            array[int.Parse(last, CultureInfo.InvariantCulture)] = altered;
        else
            parent[last] = altered;
        return Bytes(document);
    }

    private static string Flip(string base64)
    {
        var bytes = Convert.FromBase64String(base64);
        bytes[bytes.Length / 2] ^= 1;
        return Convert.ToBase64String(bytes);
    }

    private static string FlipLast(string base64)
    {
        var bytes = Convert.FromBase64String(base64);
        bytes[^1] ^= 1;
        return Convert.ToBase64String(bytes);
    }

    private static byte[] Bytes(JsonNode document) => Encoding.UTF8.GetBytes(document.ToJsonString());
}

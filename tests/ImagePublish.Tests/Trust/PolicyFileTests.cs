using System.Text.Json.Nodes;
using ImagePublish.Diagnostics;
using ImagePublish.Trust;

namespace ImagePublish.Tests.Trust;

/// <summary>What a user names in ImageBaseTrust: files of keys, certificates and policies.</summary>
public sealed class PolicyFileTests : IDisposable
{
    private const string Strict = "strict";

    private static readonly TestAuthority Authority = new();

    private readonly string folder = Directory.CreateTempSubdirectory("imagepublish-trust-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task TheContentOfAFileSaysWhatItIs()
    {
        await using var bench = await SignedBench.StartAsync();
        var signer = Authority.Issue();
        bench.AttachNotation(NotationWriter.JwsType, signer);
        using var key = TestAuthority.NewKey("P-256");

        var fromPem = TrustFile.Read(Write("root.txt", Authority.RootPem));
        var fromDer = TrustFile.Read(Write("root.crt", Authority.Root.RawData));

        Assert.Contains("Acme signing", await bench.RequireAsync(fromPem), StringComparison.Ordinal);
        Assert.Equal(fromPem.Identity, fromDer.Identity);
        Assert.IsType<KeyRule>(TrustFile.Read(Write("cosign.pub", key.ExportSubjectPublicKeyInfoPem())));
    }

    /// <summary>Files that can't decide anything.</summary>
    public static TheoryData<string, string> Unusable =>
        [
            ("missing", "there is no such file"),
            ("empty", "it is neither a public key nor a certificate in PEM, nor a trust policy in JSON"),
            ("private", "it is a private key. Name the file of the public key, and keep this one away from builds"),
            ("encrypted", "it is a private key."),
            ("ed25519", "the Ed25519 key is not a point that a private key belongs to"),
            ("rsa 1024", "the RSA key has 1024 bits; 2048 to 8192 are accepted"),
            ("secp256k1", "on a curve other than P-256, P-384 and P-521"),
            ("cut", "can't decide which images to trust"),
            ("broken certificate", "can't decide which images to trust"),
            ("weak certificate", "the RSA key has 1024 bits"),
            ("large", "it has more than 1048576 bytes"),
            ("array", "it is neither"),
        ];

    [Theory]
    [MemberData(nameof(Unusable))]
    public void AFileThatCanNotBeUsedIsRefused(string what, string reason)
    {
        using var key = TestAuthority.NewKey("P-256");
        using var weak = TestAuthority.SharedKey("RSA-1024");
        using var odd = TestAuthority.NewKey("secp256k1");
        var pem = key.ExportSubjectPublicKeyInfoPem();
        var file = what switch
        {
            "missing" => Path.Combine(folder, "missing.pub"),
            "empty" => Write("x", ""),
            "private" => Write("x", key.ExportPkcs8PrivateKeyPem()),
            "encrypted" => Write("x", "-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED SIGSTORE PRIVATE KEY-----"),
            "ed25519" => Write(
                "x",
                "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n-----END PUBLIC KEY-----"
            ),
            "rsa 1024" => Write("x", weak.ExportSubjectPublicKeyInfoPem()),
            "secp256k1" => Write("x", odd.ExportSubjectPublicKeyInfoPem()),
            "cut" => Write("x", pem[..60]),
            "broken certificate" => Write("x", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"),
            "weak certificate" => Write("x", Authority.Issue("RSA-1024").Leaf.ExportCertificatePem()),
            "large" => Write("x", new string('x', (1 << 20) + 1)),
            _ => Write("x", "[]"),
        };

        var error = Assert.Throws<ImagePublishException>(() => TrustFile.Read(file));

        Assert.Equal(DiagnosticCodes.TrustUnusable, error.Code);
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Theory]
    [InlineData("truststore")]
    [InlineData("trust-store")]
    public async Task APolicyDecidesByRepositoryAndSigner(string store)
    {
        await using var bench = await SignedBench.StartAsync();
        bench.AttachNotation(NotationWriter.CoseType, Authority.Issue());
        AddToStore(store, "ca", "acme");

        var here = Policy(bench.Subject.Location.ToString(), "x509.subject: C=US, ST=WA, O=Acme");
        Assert.Contains("Acme signing", await bench.RequireAsync(here), StringComparison.Ordinal);
        Assert.Contains("Acme signing", await bench.RequireAsync(Policy("*", "*")), StringComparison.Ordinal);
        Assert.Contains(
            "who is not one of the trusted identities",
            (await bench.RefusesAsync(DiagnosticCodes.SignerUntrusted, Policy("*", "x509.subject: C=US, ST=WA, O=Other"))).Message,
            StringComparison.Ordinal
        );
        Assert.Contains(
            $"no statement of trustpolicy.json is for the repository '{bench.Subject.Location}'",
            (await bench.RefusesAsync(DiagnosticCodes.SignerUntrusted, Policy("registry.example.test/other", "*"))).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task WhatAPolicyLeavesOutIsNotVerified()
    {
        await using var bench = await SignedBench.StartAsync();
        bench.Server.Requests.Clear();

        var line = await bench.RequireAsync(Policy(bench.Subject.Location.ToString(), "*", "skip"));

        Assert.Contains("are not verified: trustpolicy.json leaves out its repository", line, StringComparison.Ordinal);
        var policy = new TrustPolicy([Policy(bench.Subject.Location.ToString(), "*", "skip")]);
        Assert.Equal(line, await bench.Verifier.FindKnownAsync(policy, bench.Subject, SignedBench.Cancel));
        Assert.Empty(bench.Server.Requests);
    }

    [Theory]
    [InlineData("strict", false)]
    [InlineData("permissive", true)]
    [InlineData("audit", true)]
    public async Task ALevelDecidesWhetherAnExpiredSignatureCounts(string level, bool isAccepted)
    {
        await using var bench = await SignedBench.StartAsync();
        var expired = new LeafOptions { To = DateTimeOffset.UtcNow.AddDays(-1) };
        bench.AttachNotation(
            NotationWriter.JwsType,
            Authority.Issue(options: expired),
            new NotationOptions { Digest = bench.Image.Value, Expiry = DateTimeOffset.UtcNow.AddHours(-1) }
        );
        AddToStore("truststore", "ca", "acme");

        if (isAccepted)
            Assert.Contains("Acme signing", await bench.RequireAsync(Policy("*", "*", level)), StringComparison.Ordinal);
        else
            await bench.RefusesAsync(DiagnosticCodes.SignatureExpired, Policy("*", "*", level));
    }

    [Fact]
    public async Task AnAuditReportsAStrangerAndRefusesWhatIsAltered()
    {
        await using var bench = await SignedBench.StartAsync();
        AddToStore("truststore", "ca", "acme");
        var options = new NotationOptions { Digest = bench.Image.Value, Signature = signature => [.. signature.Reverse()] };
        bench.AttachNotation(NotationWriter.JwsType, new TestAuthority("Mallory").Issue(), options);
        await bench.RefusesAsync(DiagnosticCodes.SignatureInvalid, Policy("*", "*", "audit"));

        bench.AttachNotation(NotationWriter.JwsType, new TestAuthority("Mallory").Issue());
        var line = await bench.RequireAsync(Policy("*", "*", "audit"));

        Assert.Contains("; the policy only reports that 'Acme signing' signed it", line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ASigningAuthoritysClockIsTrustedIfItIsInItsOwnStore()
    {
        await using var bench = await SignedBench.StartAsync();
        var signed = DateTimeOffset.UtcNow.AddDays(-100);
        bench.AttachNotation(
            NotationWriter.CoseType,
            Authority.Issue(options: new LeafOptions { From = signed.AddDays(-1), To = signed.AddDays(1) }),
            new NotationOptions
            {
                Digest = bench.Image.Value,
                Scheme = "notary.x509.signingAuthority",
                AuthenticTime = signed,
            }
        );
        AddToStore("truststore", "ca", "acme");
        AddToStore("truststore", "signingAuthority", "acme");

        await bench.RefusesAsync(DiagnosticCodes.SignerUntrusted, Policy("*", "*"));
        Assert.Contains(
            "Acme signing",
            await bench.RequireAsync(Policy("*", "*", stores: ["signingAuthority:acme"])),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task AStoreOfTimeStampsMakesThemNeeded()
    {
        await using var bench = await SignedBench.StartAsync();
        AddToStore("truststore", "ca", "acme");
        AddToStore("truststore", "tsa", "acme");
        bench.AttachNotation(NotationWriter.JwsType, Authority.Issue());
        string[] stores = ["ca:acme", "tsa:acme"];

        var error = await bench.RefusesAsync(DiagnosticCodes.SignatureExpired, Policy("*", "*", stores: stores));
        Assert.Contains("and no time-stamp proves when", error.Message, StringComparison.Ordinal);
        Assert.Contains(
            "Acme signing",
            await bench.RequireAsync(Policy("*", "*", stores: stores, verifyTimestamp: "afterCertExpiry")),
            StringComparison.Ordinal
        );

        bench.AttachNotation(
            NotationWriter.JwsType,
            Authority.Issue(),
            new NotationOptions { Digest = bench.Image.Value, Stamp = signature => Authority.Stamp(signature, DateTimeOffset.UtcNow) }
        );
        Assert.Contains("Acme signing", await bench.RequireAsync(Policy("*", "*", stores: stores)), StringComparison.Ordinal);
    }

    /// <summary>Policies that can't be applied as they are written.</summary>
    public static TheoryData<string, string> Wrong =>
        [
            ("""{"version":"2.0","trustPolicies":[]}""", "its version is '2.0'; 1.0 is supported"),
            ("""{"version":"1.0","trustPolicies":[]}""", "it has no trust policies"),
            ("""{"version":"1.0"}""", "the trust policy has no $.trustPolicies"),
            ("{", "is not JSON"),
            (Text("*", "weird"), "the level of 'p' is 'weird', and must be one of strict, permissive, audit, skip"),
            (Text("*", "skip"), "'p' skips all repositories, which is no policy"),
            (Text("acme/*"), "must be repositories with their registries, or '*' alone"),
            (Text("ghcr.io/acme/app:1"), "is not a repository with its registry"),
            (Text("*", identity: "CN=x"), "does not begin with 'x509.subject:'"),
            (Text("*", identity: "x509.subject: CN=x"), "must name at least C, ST and O"),
            (Text("*", identity: "x509.subject: C=US, ST=WA, O=x, Z=y"), "names 'Z', which is not an attribute of a subject"),
            (Text("*", identity: "x509.subject: C=US, ST=WA, O=x, O=y"), "names 'O' twice"),
            (Text("*", store: "ca:none"), "its trust store 'ca:none' is not there"),
            (Text("*", store: "ca:../acme"), "'../acme' is not the name of a trust store"),
            (Text("*", store: "ca:empty"), "its trust store 'ca:empty' has 0 certificate files"),
            (Text("*", store: "pgp:acme"), "has a trust store of the kind 'pgp'"),
            (Text("*", store: "tsa:acme"), "names no trust store with certificates of authorities"),
        ];

    [Theory]
    [MemberData(nameof(Wrong))]
    public void APolicyThatCanNotBeAppliedIsRefused(string json, string reason)
    {
        AddToStore("truststore", "ca", "acme");
        AddToStore("truststore", "tsa", "acme");
        Directory.CreateDirectory(Path.Combine(folder, "truststore/x509/ca/empty"));

        var error = Assert.Throws<ImagePublishException>(() => TrustFile.Read(Write("trustpolicy.json", json)));

        Assert.Equal(DiagnosticCodes.TrustUnusable, error.Code);
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ALinkInATrustStoreIsRefused()
    {
        AddToStore("truststore", "ca", "acme");
        File.CreateSymbolicLink(Path.Combine(folder, "truststore/x509/ca/acme/link.pem"), Write("elsewhere.pem", Authority.RootPem));

        var error = Assert.Throws<ImagePublishException>(() => TrustFile.Read(Write("trustpolicy.json", Text("*"))));

        Assert.Contains("is a link, and must be a file", error.Message, StringComparison.Ordinal);
    }

    // A certificate more or less, or another repository, is another policy: what was accepted by the former does not count.
    [Fact]
    public void APolicysIdentityChangesWithAllThatItSays()
    {
        AddToStore("truststore", "ca", "acme");
        List<string> identities = [Policy("*", "*").Identity];
        identities.Add(Policy("*", "x509.subject: C=US, ST=WA, O=Acme").Identity);
        identities.Add(Policy("ghcr.io/acme/app", "*").Identity);
        identities.Add(Policy("*", "*", "permissive").Identity);
        identities.Add(Policy("*", "*", "audit").Identity);
        AddToStore("truststore", "ca", "acme", new TestAuthority("B"));
        identities.Add(Policy("*", "*").Identity);

        Assert.Equal(identities.Count, identities.Distinct().Count());
    }

    private TrustRule Policy(string scope, string identity, string level = Strict, string[]? stores = null, string? verifyTimestamp = null)
    {
        var document = JsonNode.Parse(Text(scope, level, identity))!;
        var policy = document["trustPolicies"]![0]!;
        if (stores is not null)
            policy["trustStores"] = new JsonArray([.. stores.Select(store => (JsonNode)store)]);
        if (verifyTimestamp is not null)
            policy["signatureVerification"]!["verifyTimestamp"] = verifyTimestamp;
        return TrustFile.Read(Write("trustpolicy.json", document.ToJsonString()));
    }

    private static string Text(string scope, string level = Strict, string identity = "*", string store = "ca:acme") =>
        new JsonObject
        {
            ["version"] = "1.0",
            ["trustPolicies"] = new JsonArray(
                new JsonObject
                {
                    ["name"] = "p",
                    ["registryScopes"] = new JsonArray(scope),
                    ["signatureVerification"] = new JsonObject { ["level"] = level },
                    ["trustStores"] = new JsonArray(store),
                    ["trustedIdentities"] = new JsonArray(identity),
                }
            ),
        }.ToJsonString();

    private void AddToStore(string store, string type, string name, TestAuthority? authority = null)
    {
        var path = Path.Combine(folder, store, "x509", type, name);
        Directory.CreateDirectory(path);
        File.WriteAllText(Path.Combine(path, authority is null ? "root.pem" : "other.crt"), (authority ?? Authority).RootPem);
    }

    private string Write(string name, string content)
    {
        var path = Path.Combine(folder, name);
        File.WriteAllText(path, content);
        return path;
    }

    private string Write(string name, byte[] content)
    {
        var path = Path.Combine(folder, name);
        File.WriteAllBytes(path, content);
        return path;
    }
}

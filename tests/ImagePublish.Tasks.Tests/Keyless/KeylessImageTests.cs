using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using ImagePublish.Tasks.Tests.Support;
using ImagePublish.Testing;

namespace ImagePublish.Tasks.Tests.Keyless;

/// <summary>Publishes that sign without a key, against sigstore's own parts, verified by sigstore's verifier, and its signatures by
/// us.</summary>
public sealed class KeylessImageTests(Peers peers)
{
    private const string ManifestType = "application/vnd.oci.image.manifest.v1+json";
    private const string Commit = "7be3a1c0f0a94f1b8b5ecd1f0a4f4b6d8d1b0a5e";
    private const string BundleType = "application/vnd.dev.sigstore.bundle.v0.3+json";

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    [ReliabilityCase(
        "Signing",
        "a keyless publish with GitHub's token to a registry without the referrers API (CNCF distribution), using the services "
            + "of `@sigstore/mock`",
        "`@sigstore/verify` and `VerifyImage` accept the bundle, with log and time-stamp, and refuse altered ones and another "
            + "identity; a diagnostic log contains no token"
    )]
    public async Task SigstoreVerifiesWhatAPublishSigns()
    {
        await using var registry = await DockerRegistry.StartAsync(Cancelled);
        using var workspace = await peers.WorkspaceAsync();
        await using var sigstore = await SigstorePeers.StartAsync(workspace, Cancelled);
        var project = SignedShop.Create(workspace);
        string[] signing = [.. Keyless(sigstore), $"-p:ImageTimeStampUrl={sigstore.Address}/api/v1/timestamp"];

        var published = (await PublishAsync(project, registry.Host, sigstore, [.. signing, "-v:diag"])).EnsureSuccess();

        Assert.Contains(
            $"is signed ({SigstorePeers.Identity} (by {SigstorePeers.Issuer}), Bundle).",
            published.Command.All,
            StringComparison.Ordinal
        );
        // The claims, in base64.
        Assert.DoesNotContain("eyJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlLmNvbSI", published.Command.All, StringComparison.Ordinal);
        Assert.Equal(4, sigstore.Asked.Count);
        Assert.All(sigstore.Asked, line => Assert.Matches(" 20[01]$", line));

        var bundle = await ReadBundleAsync(registry, published.Properties["ImageDigest"]);
        Assert.Contains(
            $"verified {SigstorePeers.Identity} {SigstorePeers.Issuer} with 2 times",
            await sigstore.VerifyAsync(bundle, Cancelled),
            StringComparison.Ordinal
        );
        Assert.StartsWith("refused", await sigstore.VerifyAsync(bundle, Cancelled, SigstorePeers.Identity + "x"), StringComparison.Ordinal);
        foreach (var part in (string[])["payload", "sig", "signedEntryTimestamp", "canonicalizedBody", "signedTimestamp"])
            Assert.StartsWith("refused", await sigstore.VerifyAsync(Alter(bundle, part), Cancelled), StringComparison.Ordinal);

        var verified = (await VerifyAsync(project, registry.Host, Policy(workspace, SigstorePeers.Identity))).EnsureSuccess();
        Assert.Contains($"cosign bundle  yes       {SigstorePeers.Identity} (by", verified.Command.All, StringComparison.Ordinal);
        Assert.Equal(
            "IMG6019",
            Assert.Single((await VerifyAsync(project, registry.Host, Policy(workspace, "https://git.example.com/mallory/*"))).Errors).Code
        );

        Assert.Contains(
            "(unchanged)",
            (await PublishAsync(project, registry.Host, sigstore, signing)).EnsureSuccess().Command.All,
            StringComparison.Ordinal
        );
        Assert.Equal(4, sigstore.Asked.Count);
    }

    [Fact]
    [ReliabilityCase(
        "Attachments",
        "a keyless publish with signed provenance and SBOM, using the services of `@sigstore/mock`",
        "`@sigstore/verify` accepts both bundles; `VerifyImage` accepts their content and nothing else, also for several " + "platforms"
    )]
    public async Task AttestationsAreSignedAndVerified()
    {
        await using var registry = await DockerRegistry.StartAsync(Cancelled);
        using var workspace = await peers.WorkspaceAsync();
        await using var sigstore = await SigstorePeers.StartAsync(workspace, Cancelled);
        var project = SignedShop.Create(workspace).Property("RepositoryUrl", "https://git.example.com/acme/shop");
        string[] attested =
        [
            .. Keyless(sigstore),
            "-p:ImageProvenance=true",
            "-p:ImageSbom=Spdx",
            "-p:ImageSignAttestations=true",
            $"-p:SourceRevisionId={Commit}",
        ];

        var published = (await PublishAsync(project, registry.Host, sigstore, attested)).EnsureSuccess();

        Assert.Contains("2 attestations of", published.Command.All, StringComparison.Ordinal);
        var digest = published.Properties["ImageDigest"];
        var bundles = await ReadBundlesAsync(registry, digest);
        Assert.Equal(3, bundles.Count);
        foreach (var bundle in bundles)
            Assert.StartsWith("verified", await sigstore.VerifyAsync(bundle, Cancelled), StringComparison.Ordinal);
        var policy = Policy(workspace, SigstorePeers.Identity);
        var verified = (await VerifyAsync(project, registry.Host, policy, $"sbom commit={Commit}")).EnsureSuccess();
        Assert.Matches($"(?m)^ *SBOM \\(SPDX\\)  {digest[7..19]}  {Regex.Escape(SigstorePeers.Identity)} \\(by ", verified.Command.All);
        Assert.Contains($", commit {Commit}", verified.Command.All, StringComparison.Ordinal);
        var other = await VerifyAsync(project, registry.Host, policy, "sbom builder=https://ci.example.com/other");
        Assert.Equal("IMG6046", Assert.Single(other.Errors).Code);
        var stranger = await VerifyAsync(project, registry.Host, Policy(workspace, "https://git.example.com/mallory/*"), "sbom");
        Assert.Equal("IMG6019", Assert.Single(stranger.Errors).Code);

        string[] platforms = [.. attested, "-p:ImageRuntimeIdentifiers=linux-x64%3Blinux-arm64"];
        (await PublishAsync(project, registry.Host, sigstore, platforms)).EnsureSuccess();
        (await VerifyAsync(project, registry.Host, policy, $"sbom commit={Commit}")).EnsureSuccess();
    }

    [Fact]
    [ReliabilityCase(
        "Signing",
        "a keyless publish with a signing config whose log is of Rekor's second version",
        "`@sigstore/verify` and `VerifyImage` accept the bundle by its proof, its checkpoint and its time-stamp, and refuse altered ones"
    )]
    public async Task SigstoreVerifiesWhatIsInTheSecondVersionOfRekor()
    {
        await using var registry = await DockerRegistry.StartAsync(Cancelled);
        using var workspace = await peers.WorkspaceAsync();
        await using var sigstore = await SigstorePeers.StartAsync(workspace, Cancelled);
        var project = SignedShop.Create(workspace);
        string[] signing = [.. Keyless(sigstore), $"-p:ImageSigstoreSigningConfig={sigstore.SigningConfig}"];

        var published = (await PublishAsync(project, registry.Host, sigstore, signing)).EnsureSuccess();

        Assert.Contains("POST /tiles/api/v2/log/entries 200", sigstore.Asked);
        Assert.DoesNotContain(sigstore.Asked, line => line.Contains("/api/v1/log", StringComparison.Ordinal));
        var bundle = await ReadBundleAsync(registry, published.Properties["ImageDigest"]);
        Assert.Contains(
            $"verified {SigstorePeers.Identity} {SigstorePeers.Issuer} with 1 times",
            await sigstore.VerifyAsync(bundle, Cancelled),
            StringComparison.Ordinal
        );
        foreach (var part in (string[])["payload", "sig", "canonicalizedBody", "signedTimestamp"])
            Assert.StartsWith("refused", await sigstore.VerifyAsync(Alter(bundle, part), Cancelled), StringComparison.Ordinal);
        (await VerifyAsync(project, registry.Host, Policy(workspace, SigstorePeers.Identity))).EnsureSuccess();
    }

    [Fact]
    [ReliabilityCase(
        "Trust",
        "an image that `@sigstore/sign` signed, with an entry of each kind, of Rekor's first and second version, and a time-stamp",
        "`VerifyImage` accepts each by a policy of identities, and rejects each altered part"
    )]
    public async Task WhatSigstoreSignsIsVerified()
    {
        const string Refused = "(?m)^ *cosign bundle  no";
        string[] kinds = ["dsse", "intoto", "v2"];
        await using var registry = await TestRegistry.StartAsync(options => options.Content.Referrers = true, Cancelled);
        using var workspace = await peers.WorkspaceAsync();
        await using var sigstore = await SigstorePeers.StartAsync(workspace, Cancelled);
        var project = SignedShop.Create(workspace);
        var digest = (await PublishAsync(project, registry.Host, sigstore, [])).EnsureSuccess().Properties["ImageDigest"];
        var statement =
            $$$"""{"_type":"https://in-toto.io/Statement/v1","subject":[{"digest":{"sha256":"{{{digest[7..]}}}"}}],"predicateType":"https://sigstore.dev/cosign/sign/v1","predicate":{}}""";
        var bundles = new Dictionary<string, byte[]>();
        foreach (var kind in kinds)
            bundles[kind] = Encoding.UTF8.GetBytes(await sigstore.SignAsync(statement, kind, Cancelled));
        var policy = Policy(workspace, SigstorePeers.Identity);

        var altered = 0;
        foreach (var (kind, bundle) in bundles)
        {
            string[] parts =
            [
                "sig",
                "canonicalizedBody",
                "signedTimestamp",
                "rawBytes",
                .. kind == "v2" ? [] : (string[])["signedEntryTimestamp"],
            ];
            foreach (var part in parts)
                Attach(registry, digest, Alter(bundle, part));
            altered += parts.Length;
        }

        var refused = await VerifyAsync(project, registry.Host, policy);
        Assert.StartsWith("IMG60", Assert.Single(refused.Errors).Code, StringComparison.Ordinal);
        Assert.DoesNotContain("cosign bundle  yes", refused.Command.All, StringComparison.Ordinal);
        Assert.Equal(altered, Regex.Count(refused.Command.All, Refused));

        foreach (var bundle in bundles.Values)
            Attach(registry, digest, bundle);
        var verified = (await VerifyAsync(project, registry.Host, policy)).EnsureSuccess();
        Assert.Equal(kinds.Length, Regex.Count(verified.Command.All, "(?m)^ *cosign bundle  yes"));
        Assert.Equal(altered, Regex.Count(verified.Command.All, Refused));
    }

    [Fact]
    [ReliabilityCase(
        "Signing",
        "a keyless publish without a token, with a refused token, with another service as the time-stamp authority, or with "
            + "unreachable services",
        "IMG6040, IMG6040, IMG6044, IMG6042, and no tag moves"
    )]
    public async Task NoTagMovesWhereAServiceFails()
    {
        await using var registry = await TestRegistry.StartAsync(options => options.Content.Referrers = true, Cancelled);
        using var workspace = await peers.WorkspaceAsync();
        var sigstore = await SigstorePeers.StartAsync(workspace, Cancelled);
        await using var ending = sigstore;
        var project = SignedShop.Create(workspace);
        var wrong = new Dictionary<string, string?>(sigstore.Job) { ["ACTIONS_ID_TOKEN_REQUEST_TOKEN"] = "wrong" };

        await FailsAsync("IMG6040", new Dictionary<string, string?>());
        await FailsAsync("IMG6040", wrong);
        await FailsAsync("IMG6044", sigstore.Job, $"-p:ImageTimeStampUrl={sigstore.Address}/api/v2/timestamp");
        await FailsAsync("IMG6042", sigstore.Job, $"-p:ImageFulcioUrl=http://127.0.0.1:{Ports.Free()}");
        Assert.Empty(registry.Content.Tags("acme/shop"));

        async Task FailsAsync(string code, IReadOnlyDictionary<string, string?> job, params string[] arguments)
        {
            var output = await project.RunAsync(Command(project, registry.Host, job, [.. Keyless(sigstore), .. arguments]), Cancelled);
            var error = Assert.Single(output.Errors);
            Assert.True(code == error.Code, $"{error.Code}: {error.Text}");
        }
    }

    private static string[] Keyless(SigstorePeers sigstore) => ["-p:ImageSigningKey=keyless", $"-p:ImageSigstoreRoot={sigstore.Root}"];

    private static Task<BuildOutput> PublishAsync(TestProject project, string registry, SigstorePeers sigstore, string[] arguments) =>
        project.RunAsync(Command(project, registry, sigstore.Job, arguments), Cancelled);

    private static CommandLine Command(
        TestProject project,
        string registry,
        IReadOnlyDictionary<string, string?> job,
        params string[] arguments
    )
    {
        var command = SignedShop.Command(project, registry, arguments);
        var environment = new Dictionary<string, string?>(command.Environment);
        foreach (var (name, value) in job)
            environment[name] = value;
        return command with { Environment = environment };
    }

    private static Task<BuildOutput> VerifyAsync(TestProject project, string registry, string policy, string attestations = "") =>
        SignedShop.VerifyAsync(project, registry, policy, $"-p:ImageRequiredAttestations={attestations}");

    private static string Policy(TestWorkspace workspace, string identity)
    {
        var file = Path.Combine("peers", $"policy-{Guid.NewGuid():N}.json");
        workspace.Write(
            file,
            $$"""{"trustedRoot":"trusted_root.json","identities":[{"issuer":"{{SigstorePeers.Issuer}}","subject":"{{identity}}"}]}"""
        );
        return workspace[file];
    }

    // As the registry has it, by the tag that lists attachments.
    private static async Task<byte[]> ReadBundleAsync(DockerRegistry registry, string digest) =>
        Assert.Single(await ReadBundlesAsync(registry, digest));

    private static async Task<IReadOnlyList<byte[]>> ReadBundlesAsync(DockerRegistry registry, string digest)
    {
        var list = await GetAsync(registry, $"manifests/{digest.Replace(':', '-')}", "application/vnd.oci.image.index.v1+json");
        var bundles = new List<byte[]>();
        foreach (var entry in list["manifests"]!.AsArray().Where(entry => (string?)entry!["artifactType"] == BundleType))
        {
            var manifest = await GetAsync(registry, $"manifests/{entry!["digest"]}", ManifestType);
            Assert.Equal(BundleType, (string)manifest["artifactType"]!);
            var bundle = await GetAsync(registry, $"blobs/{manifest["layers"]![0]!["digest"]}", "*/*");
            bundles.Add(Encoding.UTF8.GetBytes(bundle.ToJsonString()));
        }

        return bundles;
    }

    private static async Task<JsonNode> GetAsync(DockerRegistry registry, string path, string type) =>
        JsonNode.Parse(await SignedShop.GetAsync(registry.Host, path, type))!;

    private static void Attach(TestRegistry registry, string image, byte[] bundle)
    {
        const string Empty = "application/vnd.oci.empty.v1+json";
        var manifest = new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = ManifestType,
            ["artifactType"] = BundleType,
            ["config"] = Descriptor(Empty, "{}"u8.ToArray()),
            ["layers"] = new JsonArray(Descriptor(BundleType, bundle)),
            ["subject"] = new JsonObject
            {
                ["mediaType"] = ManifestType,
                ["digest"] = image,
                ["size"] = 1,
            },
        };
        registry.Content.PutManifest("acme/shop", null, Encoding.UTF8.GetBytes(manifest.ToJsonString()), ManifestType);

        JsonObject Descriptor(string type, byte[] content) =>
            new()
            {
                ["mediaType"] = type,
                ["digest"] = registry.Content.PutBlob("acme/shop", content),
                ["size"] = content.Length,
            };
    }

    // The last byte of a value in base64, wherever it is: of a time-stamp, one of its signature and not of a certificate that is not used.
    private static byte[] Alter(byte[] bundle, string name)
    {
        var document = JsonNode.Parse(bundle)!;
        var changed = 0;
        Visit(document);
        Assert.Equal(1, changed);
        return Encoding.UTF8.GetBytes(document.ToJsonString());

        void Visit(JsonNode? node)
        {
            if (node is JsonArray list)
            {
                foreach (var item in list)
                    Visit(item);
            }
            else if (node is JsonObject parent)
            {
                foreach (var (key, value) in parent.ToList())
                {
                    if (key != name)
                    {
                        Visit(value);
                        continue;
                    }

                    var bytes = Convert.FromBase64String((string)value!);
                    bytes[^1] ^= 1;
                    parent[key] = Convert.ToBase64String(bytes);
                    changed++;
                }
            }
        }
    }
}

using System.Text.Json.Nodes;
using ImagePublish.Tasks.Tests.Support;
using ImagePublish.Testing;

namespace ImagePublish.Tasks.Tests.Notation;

/// <summary>Publishes that sign for Notation, into a real registry, verified by OpenSSL, by readers of JWS and COSE that are not .NET's,
/// and by <c>VerifyImage</c>.</summary>
public sealed class NotationImageTests(Peers peers)
{
    private const string SignatureType = "application/vnd.cncf.notary.signature";

    // A plugin whose key is OpenSSL's.
    private const string Plugin = """
        #!/bin/sh
        cd "$(dirname "$0")"
        echo "$1" >> asked
        request=$(cat)
        value() { printf '%s' "$request" | sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"; }
        if [ "$(value keyId)" != signing ]; then
          echo '{"errorCode":"VALIDATION_ERROR","errorMessage":"there is no such key"}' >&2
          exit 1
        fi
        case $1 in
        get-plugin-metadata)
          echo '{"name":"shell","description":"d","version":"1.0","url":"u","supportedContractVersions":["1.0"],"capabilities":["SIGNATURE_GENERATOR.RAW"]}' ;;
        describe-key) echo '{"keyId":"signing","keySpec":"EC-256"}' ;;
        generate-signature)
          value payload | openssl base64 -d -A > payload
          openssl dgst -sha256 -sign "$KEYS/signing.key" -out signature payload
          der() { openssl x509 -in "$KEYS/$1" -outform DER | openssl base64 -A; }
          printf '{"keyId":"signing","signature":"%s","signingAlgorithm":"ECDSA-SHA-256","certificateChain":["%s","%s","%s"]}' \
            "$(openssl base64 -A -in signature)" "$(der signing.pem)" "$(der middle.pem)" "$(der root.pem)" ;;
        esac
        """;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    [ReliabilityCase(
        "Signing",
        "a publish that signs for Notation with a key and its certificates, to a registry without the referrers API (CNCF "
            + "distribution)",
        "npm's `jose` verifies the JWS, and rejects an altered one; OpenSSL verifies the certificates; `VerifyImage` accepts "
            + "it by root and by `trustpolicy.json`, but not by another root or for another identity"
    )]
    public async Task JoseAndOpenSslVerifyWhatAPublishSigns()
    {
        await using var registry = await DockerRegistry.StartAsync(Cancelled);
        using var workspace = await peers.WorkspaceAsync();
        await MakeCertificatesAsync(workspace);
        var project = SignedShop.Create(workspace);
        string[] signing = [$"-p:ImageSigningKey={workspace["signing.key"]}", $"-p:ImageSigningCertificate={workspace["chain.pem"]}"];

        var wrong = await SignedShop.PublishAsync(
            project,
            registry.Host,
            [signing[0], $"-p:ImageSigningCertificate={workspace["other.pem"]}"]
        );
        Assert.Equal("IMG6050", Assert.Single(wrong.Errors).Code);
        var published = (await SignedShop.PublishAsync(project, registry.Host, signing)).EnsureSuccess();

        Assert.Contains("is signed (ECDSA P-256 of Image signing, Notation).", published.Command.All, StringComparison.Ordinal);
        var digest = published.Properties["ImageDigest"];
        var layer = await FindSignatureAsync(registry.Host, $"manifests/{digest.Replace(':', '-')}", "application/jose+json");
        var envelope = await GetAsync(registry.Host, $"blobs/{layer}", "*/*");
        Assert.Equal($"verified ES256 notary.x509 {digest}", await JoseAsync(workspace, envelope));
        foreach (var part in (string[])["payload", "protected", "signature"])
            Assert.StartsWith("refused", await JoseAsync(workspace, Alter(envelope, part)), StringComparison.Ordinal);
        await RequireChainAsync(workspace, envelope);

        await RequireVerifiedAsync(project, registry.Host, workspace["root.pem"]);
        await RequireVerifiedAsync(project, registry.Host, WritePolicy(workspace, registry.Host, "C=US, ST=WA, O=Acme, CN=Image signing"));
        await RequireRefusedAsync(project, registry.Host, workspace["other.pem"]);
        await RequireRefusedAsync(project, registry.Host, WritePolicy(workspace, registry.Host, "C=US, ST=WA, O=Acme, CN=Other"));

        await SignedShop.RequireUnchangedAsync(project, registry, signing);
    }

    [Fact]
    [ReliabilityCase(
        "Signing",
        "a publish that signs with an installed notation plugin (a script with OpenSSL), in COSE",
        "python3-cbor2 reads it and OpenSSL verifies it, and rejects an altered one; an error of the plugin is IMG6051, and no "
            + "tag moves"
    )]
    public async Task OpenSslVerifiesWhatAPluginSigns()
    {
        await using var registry = await TestRegistry.StartAsync(cancellationToken: Cancelled);
        using var workspace = await peers.WorkspaceAsync();
        await MakeCertificatesAsync(workspace);
        var project = SignedShop.Create(workspace);
        var program = workspace.Write(Path.Combine("config", "notation", "plugins", "shell", "notation-shell"), Plugin);
        await new CommandLine("chmod", "755", program).SucceedAsync(Cancelled);
        var command = SignedShop.Command(project, registry.Host, "-p:ImageSignatureFormat=NotationCose");
        var environment = new Dictionary<string, string?>(command.Environment)
        {
            ["XDG_CONFIG_HOME"] = workspace["config"],
            ["KEYS"] = workspace.Path,
        };

        var refused = Assert.Single((await PluginAsync("notation:shell other")).Errors);
        Assert.Equal("IMG6051", refused.Code);
        Assert.Contains("'VALIDATION_ERROR: there is no such key'", refused.Text, StringComparison.Ordinal);
        Assert.Empty(registry.Content.Tags("acme/shop"));
        var published = (await PluginAsync("notation:shell signing")).EnsureSuccess();

        var digest = published.Properties["ImageDigest"];
        var envelope = registry.Content.Blob(
            "acme/shop",
            await FindSignatureAsync(registry.Host, $"referrers/{digest}", "application/cose")
        )!;
        await File.WriteAllBytesAsync(workspace["envelope"], envelope, Cancelled);
        var script = Path.Combine(Folder, "cose.py");
        var read = await new CommandLine("/usr/bin/python3", script, "envelope") { WorkingDirectory = workspace.Path }.SucceedAsync(
            Cancelled
        );
        Assert.Equal(
            $"-7 ['io.cncf.notary.signingScheme'] application/vnd.cncf.notary.payload.v1+json notary.x509 3 {digest}",
            read.Output.Trim()
        );
        await OpenSslAsync(workspace, "x509 -in signing.pem -pubkey -noout -out signing.pub");
        await OpenSslAsync(workspace, "dgst -sha256 -verify signing.pub -signature signature signed");
        var signed = await File.ReadAllBytesAsync(workspace["signed"], Cancelled);
        signed[^20] ^= 1;
        await File.WriteAllBytesAsync(workspace["signed"], signed, Cancelled);
        await Assert.ThrowsAnyAsync<Exception>(() =>
            OpenSslAsync(workspace, "dgst -sha256 -verify signing.pub -signature signature signed")
        );
        await RequireVerifiedAsync(project, registry.Host, workspace["root.pem"]);

        Task<BuildOutput> PluginAsync(string key) =>
            project.RunAsync(
                command with
                {
                    Arguments = [.. command.Arguments, $"-p:ImageSigningKey={key}"],
                    Environment = environment,
                },
                Cancelled
            );
    }

    private static string Folder => Path.Combine(RepositoryRoot.Path, "tests", "ImagePublish.Tasks.Tests", "Notation", "peers");

    private static async Task RequireVerifiedAsync(TestProject project, string registry, string trust)
    {
        var verified = (await SignedShop.VerifyAsync(project, registry, trust)).EnsureSuccess();
        Assert.Contains("Notation  yes       Image signing", verified.Command.All, StringComparison.Ordinal);
    }

    private static async Task RequireRefusedAsync(TestProject project, string registry, string trust) =>
        Assert.Equal("IMG6019", Assert.Single((await SignedShop.VerifyAsync(project, registry, trust)).Errors).Code);

    private static string WritePolicy(TestWorkspace workspace, string registry, string subject)
    {
        workspace.Write(Path.Combine("truststore", "x509", "ca", "acme", "root.pem"), File.ReadAllText(workspace["root.pem"]));
        return workspace.Write(
            "trustpolicy.json",
            $$"""
            {"version":"1.0","trustPolicies":[{"name":"acme","registryScopes":["{{registry}}/acme/shop"],
              "signatureVerification":{"level":"strict"},"trustStores":["ca:acme"],"trustedIdentities":["x509.subject: {{subject}}"]}]}
            """
        );
    }

    // A root, an authority below it and a signer, and a certificate of somebody else, all of them OpenSSL's.
    private static async Task MakeCertificatesAsync(TestWorkspace workspace)
    {
        const string NewKey = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
        workspace.Write("middle.ext", "basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign\n");
        workspace.Write(
            "signing.ext",
            "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=codeSigning\n"
        );
        await OpenSslAsync(
            workspace,
            $"req -x509 {NewKey} -keyout root.key -out root.pem -subj /CN=Root -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign"
        );
        await OpenSslAsync(workspace, $"req -new {NewKey} -keyout middle.key -out middle.csr -subj /CN=Authority");
        await OpenSslAsync(
            workspace,
            "x509 -req -in middle.csr -CA root.pem -CAkey root.key -CAcreateserial -extfile middle.ext -out middle.pem"
        );
        var subject = (string[])["-subj", "/C=US/ST=WA/O=Acme/CN=Image signing"];
        await OpenSslAsync(workspace, $"req -new {NewKey} -keyout signing.key -out signing.csr", subject);
        await OpenSslAsync(
            workspace,
            "x509 -req -in signing.csr -CA middle.pem -CAkey middle.key -CAcreateserial -extfile signing.ext -out signing.pem"
        );
        await OpenSslAsync(
            workspace,
            $"req -x509 {NewKey} -keyout other.key -out other.pem -subj /CN=Mallory -addext basicConstraints=critical,CA:FALSE -addext keyUsage=critical,digitalSignature -addext extendedKeyUsage=codeSigning"
        );
        var chain = ((string[])["signing.pem", "middle.pem", "root.pem"]).Select(name => File.ReadAllText(workspace[name]));
        workspace.Write("chain.pem", string.Concat(chain));
    }

    private static Task OpenSslAsync(TestWorkspace workspace, string arguments, params string[] more) =>
        SignedShop.OpenSslAsync(workspace, [.. arguments.Split(' '), .. more]);

    private static async Task<string> JoseAsync(TestWorkspace workspace, JsonNode envelope)
    {
        var folder = workspace["peers"];
        if (!Directory.Exists(folder))
            await NodePackages.InstallAsync("Notation/peers", folder, Cancelled);
        workspace.Write(Path.Combine("peers", "envelope.json"), envelope.ToJsonString());
        var command = new CommandLine("node", "verify.mjs", "envelope.json", workspace["signing.pem"]) { WorkingDirectory = folder };
        return (await command.RunAsync(Cancelled)).All.Trim();
    }

    // The certificates of the envelope, by OpenSSL's rules.
    private static async Task RequireChainAsync(TestWorkspace workspace, JsonNode envelope)
    {
        var certificates = envelope["header"]!["x5c"]!.AsArray().Select(one => Convert.FromBase64String((string)one!)).ToList();
        Assert.Equal(3, certificates.Count);
        string[] names = ["0.pem", "1.pem", "2.pem"];
        foreach (var (name, certificate) in names.Zip(certificates))
            workspace.Write(
                name,
                $"-----BEGIN CERTIFICATE-----\n{Convert.ToBase64String(certificate, Base64FormattingOptions.InsertLineBreaks)}\n-----END CERTIFICATE-----\n"
            );
        await OpenSslAsync(workspace, "verify -x509_strict -CAfile 2.pem -untrusted 1.pem 0.pem");
        Assert.Equal(await File.ReadAllTextAsync(workspace["root.pem"], Cancelled), await PemAsync(workspace, "2.pem"));
    }

    private static async Task<string> PemAsync(TestWorkspace workspace, string file) =>
        (await new CommandLine("openssl", "x509", "-in", file) { WorkingDirectory = workspace.Path }.SucceedAsync(Cancelled)).Output;

    private static JsonNode Alter(JsonNode envelope, string part)
    {
        var altered = envelope.DeepClone();
        var text = ((string)altered[part]!).ToCharArray();
        text[20] = text[20] == 'A' ? 'B' : 'A';
        altered[part] = new string(text);
        return altered;
    }

    // As the registry lists it, through the referrers API or by the tag that stands in for it.
    private static async Task<string> FindSignatureAsync(string registry, string path, string type)
    {
        var list = await GetAsync(registry, path, "application/vnd.oci.image.index.v1+json");
        var entry = Assert.Single(list["manifests"]!.AsArray())!;
        Assert.Equal(SignatureType, (string)entry["artifactType"]!);
        var manifest = await GetAsync(registry, $"manifests/{entry["digest"]}", "application/vnd.oci.image.manifest.v1+json");
        var layer = Assert.Single(manifest["layers"]!.AsArray())!;
        Assert.Equal(type, (string)layer["mediaType"]!);
        return (string)layer["digest"]!;
    }

    private static async Task<JsonNode> GetAsync(string registry, string path, string type) =>
        JsonNode.Parse(await SignedShop.GetAsync(registry, path, type))!;
}

using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Requests;
using ImagePublish.Signing.Notation;
using ImagePublish.Testing;
using ImagePublish.Tests.Publishing;
using ImagePublish.Tests.Registries;
using ImagePublish.Tests.Trust;
using ImagePublish.Trust;

namespace ImagePublish.Tests.Signing;

/// <summary>Images are signed by plugins of notation: scripts with OpenSSL, and what plugins do wrong.</summary>
[System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
public sealed class NotationPluginTests : IDisposable
{
    private const string Shop = "acme/shop";

    private const string Metadata = """
        {"name":"test","description":"d","version":"1.0","url":"u","supportedContractVersions":["1.0"],"capabilities":["CAPABILITY"]}
        """;

    // Signs what it is asked for with the key in key.pem, and writes each command down.
    private const string Script = """
        #!/bin/sh
        cd "$(dirname "$0")"
        echo "$1" >> asked
        request=$(cat)
        value() { printf '%s' "$request" | sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"; }
        case $1 in
        get-plugin-metadata) cat metadata.json ;;
        describe-key) printf '{"keyId":"%s","keySpec":"%s"}' "$(value keyId)" "$(cat spec)" ;;
        generate-signature)
          printf '%s' "$request" >> requests
          value payload | openssl base64 -d -A > payload
          case $(cat spec) in RSA*) pss='-sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:digest' ;; esac
          openssl dgst -"$(value hashAlgorithm | tr -d - | tr A-Z a-z)" $pss -sign key.pem -out signature payload
          printf '{"keyId":"%s","signature":"%s","signingAlgorithm":"%s","certificateChain":%s}' \
            "$(value keyId)" "$(openssl base64 -A -in signature)" "$(cat algorithm)" "$(cat chain.json)" ;;
        generate-envelope) printf '%s' "$request" > requests; cat envelope.json ;;
        esac
        """;

    private static readonly TestAuthority Authority = new();

    private readonly string folder = Directory.CreateTempSubdirectory("imagepublish-plugin-").FullName;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData("P-256", "EC-256", "ECDSA-SHA-256", JwsEnvelope.MediaType)]
    [InlineData("P-384", "EC-384", "ECDSA-SHA-384", CoseEnvelope.MediaType)]
    [InlineData("P-521", "EC-521", "ECDSA-SHA-512", JwsEnvelope.MediaType)]
    [InlineData("RSA-2048", "RSA-2048", "RSASSA-PSS-SHA-256", CoseEnvelope.MediaType)]
    [InlineData("RSA-3072", "RSA-3072", "RSASSA-PSS-SHA-384", JwsEnvelope.MediaType)]
    [ReliabilityCase(
        "Signing",
        "a notation plugin that signs (a script with OpenSSL)",
        "an independent verifier accepts it with the root; an unchanged publish does not start the plugin"
    )]
    public async Task APluginSigns(string kind, string spec, string algorithm, string envelope)
    {
        await using var bench = await PublishingBench.StartAsync();
        Prepare(Authority.Issue(kind), spec, algorithm);
        var request = Signed(bench, envelope);

        var result = await bench.PublishAsync(request);

        Assert.Equal(["get-plugin-metadata", "describe-key", "generate-signature"], await AskedAsync());
        Assert.Equal("Acme signing", Assert.Single(await VerifyAsync(bench, result.Image.Digest)).Accepted?.Signer);
        var asked = JsonElement.Parse(await File.ReadAllTextAsync(Path.Combine(folder, "requests"), Cancel));
        Assert.Equal("1.0", asked.GetProperty("contractVersion").GetString());
        Assert.Equal("key 1", asked.GetProperty("keyId").GetString());
        Assert.Equal(spec, asked.GetProperty("keySpec").GetString());
        Assert.Equal("true", asked.GetProperty("pluginConfig").GetProperty("self_signed").GetString());

        Assert.True((await bench.PublishAsync(request)).IsUnchanged);
        Assert.Equal(3, (await AskedAsync()).Length);
        // Whose the signature is that is there is known when the plugin has signed.
        await bench.PublishAsync(request, machine: "other");
        Assert.Single(await VerifyAsync(bench, result.Image.Digest));
    }

    [Theory]
    [InlineData(JwsEnvelope.MediaType)]
    [InlineData(CoseEnvelope.MediaType)]
    public async Task APluginWritesTheEnvelope(string envelope)
    {
        await using var bench = await PublishingBench.StartAsync();
        var image = (await bench.PublishAsync(bench.Request("plain"))).Image.Manifest.Descriptor;
        Prepare(Authority.Issue(), "EC-256", "", "SIGNATURE_GENERATOR.ENVELOPE");
        PrepareEnvelope(envelope, Authority.Issue(), UnsignedEnvelope.WritePayload(image));

        var result = await bench.PublishAsync(Signed(bench, envelope));

        Assert.Equal(["get-plugin-metadata", "generate-envelope"], await AskedAsync());
        Assert.NotNull(Assert.Single(await VerifyAsync(bench, result.Image.Digest)).Accepted);
        await using var reader = RegistryBench.For(bench.Server);
        var listed = Assert.Single((await reader.Client.ListReferrersAsync(bench.Named(Shop), image.Digest, Cancel))!);
        Assert.Equal("b", listed.Annotations!["a"]);
        Assert.StartsWith("[", listed.Annotations["io.cncf.notary.x509chain.thumbprint#S256"], StringComparison.Ordinal);
    }

    [Fact]
    [ReliabilityCase(
        "Signing",
        "a plugin whose envelope only a plugin can fully verify, such as AWS Signer's",
        "its signature and subject are verified, and it is attached; `ImageBaseTrust` refuses it with IMG6021"
    )]
    public async Task AnEnvelopeMayWantAPluginOfItsReaders()
    {
        await using var bench = await PublishingBench.StartAsync();
        var image = (await bench.PublishAsync(bench.Request("plain"))).Image.Manifest.Descriptor;
        Prepare(Authority.Issue(), "EC-256", "", "SIGNATURE_GENERATOR.ENVELOPE");
        var options = new NotationOptions
        {
            Digest = image.Digest.Value,
            Target = Encoding.UTF8.GetString(UnsignedEnvelope.WritePayload(image)),
            Scheme = "notary.x509.signingAuthority",
            AuthenticTime = DateTimeOffset.UtcNow,
            Critical =
            [
                "io.cncf.notary.signingScheme",
                "io.cncf.notary.authenticSigningTime",
                "io.cncf.notary.verificationPlugin",
                "io.cncf.notary.verificationPluginMinVersion",
            ],
        };
        WriteEnvelope(NotationWriter.Write(NotationWriter.JwsType, Authority.Issue(), options), NotationWriter.JwsType, new());

        var result = await bench.PublishAsync(Signed(bench));

        Assert.NotNull(bench.TagDigest(Shop, "1.0"));
        Assert.Equal(DiagnosticCodes.SignatureUnsupported, Assert.Single(await VerifyAsync(bench, result.Image.Digest)).Refused?.Code);
    }

    public static TheoryData<string, string> WrongEnvelopes =>
        [
            ("of another image", "it is the signature of another image"),
            ("size", "its payload is not about"),
            ("more", "its payload says more than what is signed"),
            ("altered", "it does not fit its content"),
            ("type", "its 'signatureEnvelopeType' is 'application/cose' and not 'application/jose+json'"),
            ("annotations", "its annotations are too large"),
        ];

    [Theory]
    [MemberData(nameof(WrongEnvelopes))]
    [ReliabilityCase(
        "Signing",
        "a plugin whose envelope is for another image, contains more, was altered, or has another type",
        "IMG6051, and no tag moves"
    )]
    public async Task AnEnvelopeThatIsWrongIsNotUsed(string what, string reason)
    {
        await using var bench = await PublishingBench.StartAsync();
        var image = (await bench.PublishAsync(bench.Request("plain"))).Image.Manifest.Descriptor;
        Prepare(Authority.Issue(), "EC-256", "", "SIGNATURE_GENERATOR.ENVELOPE");
        var payload = Encoding.UTF8.GetString(UnsignedEnvelope.WritePayload(image));
        PrepareEnvelope(
            JwsEnvelope.MediaType,
            Authority.Issue(),
            Encoding.UTF8.GetBytes(
                what switch
                {
                    "of another image" => payload.Replace(image.Digest.Hex, new string('0', 64), StringComparison.Ordinal),
                    "size" => payload.Replace($"\"size\":{image.Size}", "\"size\":1", StringComparison.Ordinal),
                    "more" => payload.Replace("\"size\"", "\"else\":1,\"size\"", StringComparison.Ordinal),
                    _ => payload,
                }
            ),
            what
        );

        await FailsAsync(bench, reason);
    }

    public static TheoryData<string, string> WrongPlugins =>
        [
            ("echo nonsense", "its answer to 'get-plugin-metadata' is not the JSON that is asked for"),
            ("exit 0", "its answer to 'get-plugin-metadata' is not the JSON that is asked for"),
            (
                """echo '{"errorCode":"ACCESS_DENIED","errorMessage":"no access to s3cret-t0ken"}' >&2; exit 1""",
                "it ends with 1 when asked for 'get-plugin-metadata': 'ACCESS_DENIED: no access to ***'"
            ),
            ("exit 3", "it ends with 3 when asked for 'get-plugin-metadata': It writes nothing to its error output"),
            ("sleep 60", "it gave no answer in 2 seconds and was ended"),
            ("head -c 9000000 /dev/zero", "it can't be run (it writes more than"),
            (
                """echo '{"supportedContractVersions":["2.0"],"capabilities":["SIGNATURE_GENERATOR.RAW"]}'""",
                "it knows the versions 2.0 of the protocol, and 1.0 is asked for"
            ),
            (
                """echo '{"supportedContractVersions":["1.0"],"capabilities":["SIGNATURE_VERIFIER.TRUSTED_IDENTITY"]}'""",
                "it can't sign: of SIGNATURE_GENERATOR.RAW and SIGNATURE_GENERATOR.ENVELOPE it names neither"
            ),
            ("""echo '{"supportedContractVersions":"1.0","supportedContractVersions":["1.0"]}'""", "is not the JSON that is asked for"),
        ];

    [Theory]
    [MemberData(nameof(WrongPlugins))]
    [ReliabilityCase(
        "Signing",
        "a notation plugin that hangs, prints nonsense or too much, or reports an error",
        "IMG6051 with its message, without secrets, and no tag moves"
    )]
    public async Task APluginThatFailsIsExplained(string body, string reason)
    {
        await using var bench = await PublishingBench.StartAsync();
        WriteProgram($"#!/bin/sh\n{body}\n");

        var error = await FailsAsync(bench, reason);

        Assert.DoesNotContain("s3cret-t0ken", error.ToString(), StringComparison.Ordinal);
    }

    public static TheoryData<string, string, string> WrongAnswers =>
        [
            ("other key", "IMG6051", "its signature does not verify with the key of its certificate (ECDSA P-256)"),
            ("other algorithm", "IMG6051", "its 'signingAlgorithm' is 'ECDSA-SHA-384' and not 'ECDSA-SHA-256'"),
            ("other spec", "IMG6051", "its key is ECDSA P-256 by its certificate, and another one by its answer to 'describe-key'"),
            ("unknown spec", "IMG6051", "its key is 'EC-224', and must be one of EC-256, EC-384"),
            ("no certificates", "IMG6050", "it has 0 certificates"),
            ("out of order", "IMG6050", "is a root and not the last one"),
            ("expired", "IMG6050", "is valid from"),
        ];

    [Theory]
    [MemberData(nameof(WrongAnswers))]
    [ReliabilityCase(
        "Signing",
        "a notation plugin whose signature is not valid, or whose certificates notation refuses",
        "IMG6051 or IMG6050, and no tag moves"
    )]
    public async Task ASignatureThatIsWrongIsNotUsed(string what, string code, string reason)
    {
        await using var bench = await PublishingBench.StartAsync();
        var signer =
            what == "expired" ? Authority.Issue(options: new LeafOptions { To = DateTimeOffset.UtcNow.AddDays(-1) }) : Authority.Issue();
        var (spec, algorithm) = what switch
        {
            "other algorithm" => ("EC-256", "ECDSA-SHA-384"),
            "other spec" => ("EC-384", "ECDSA-SHA-384"),
            "unknown spec" => ("EC-224", ""),
            _ => ("EC-256", "ECDSA-SHA-256"),
        };
        Prepare(
            what switch
            {
                "other key" => signer with { Key = TestAuthority.NewKey("P-256") },
                "no certificates" => signer with { Chain = [] },
                "out of order" => signer with { Chain = [.. signer.Chain.Reverse()] },
                _ => signer,
            },
            spec,
            algorithm
        );

        await FailsAsync(bench, reason, code);
    }

    private async Task<ImagePublishException> FailsAsync(PublishingBench bench, string reason, string code = "IMG6051")
    {
        var error = await Assert.ThrowsAnyAsync<ImagePublishException>(() => bench.PublishAsync(Signed(bench)));
        Assert.True(code == error.Code.Id && error.Message.Contains(reason, StringComparison.Ordinal), $"{error.Code}: {error.Message}");
        Assert.Contains("notation-test", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
        Assert.Null(bench.TagDigest(Shop, "1.0"));
        return error;
    }

    private string ProgramFile => Path.Combine(folder, "notation-test");

    private void Prepare(TestSigner signer, string spec, string algorithm, string capability = "SIGNATURE_GENERATOR.RAW")
    {
        WriteProgram(Script);
        Write("metadata.json", Metadata.Replace("CAPABILITY", capability, StringComparison.Ordinal));
        Write("spec", spec);
        Write("algorithm", algorithm);
        Write("key.pem", signer.Key.ExportPkcs8PrivateKeyPem());
        Write("chain.json", JsonSerializer.Serialize(signer.Chain.Select(one => one.RawData)));
    }

    private void PrepareEnvelope(string mediaType, TestSigner signer, byte[] payload, string what = "")
    {
        var unsigned = UnsignedEnvelope.Create(mediaType, payload, SignatureAlgorithm.EcdsaSha256, DateTimeOffset.UtcNow);
        var signature = ((ECDsa)signer.Key).SignData(unsigned.SignedBytes, HashAlgorithmName.SHA256);
        signature[5] ^= (byte)(what == "altered" ? 1 : 0);
        var annotations = what == "annotations" ? Enumerable.Range(0, 40).ToDictionary(at => $"a{at}", _ => "b") : new() { ["a"] = "b" };
        WriteEnvelope(
            unsigned.Write(signature, signer.Chain, stamp: null),
            what == "type" ? CoseEnvelope.MediaType : mediaType,
            annotations
        );
    }

    private void WriteEnvelope(byte[] content, string mediaType, Dictionary<string, string> annotations) =>
        Write(
            "envelope.json",
            JsonSerializer.Serialize(
                new Dictionary<string, object>
                {
                    ["signatureEnvelope"] = content,
                    ["signatureEnvelopeType"] = mediaType,
                    ["annotations"] = annotations,
                }
            )
        );

    private void Write(string name, string content) => File.WriteAllText(Path.Combine(folder, name), content);

    private void WriteProgram(string script)
    {
        Write("notation-test", script);
        File.SetUnixFileMode(ProgramFile, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    private Task<string[]> AskedAsync() => File.ReadAllLinesAsync(Path.Combine(folder, "asked"), Cancel);

    private PublishRequest Signed(PublishingBench bench, string envelope = JwsEnvelope.MediaType)
    {
        var redactor = new Redactor();
        redactor.Add("s3cret-t0ken");
        var key = new PluginKey("key 1") { Config = [KeyValuePair.Create("self_signed", "true")], TimeLimit = TimeSpan.FromSeconds(2) };
        var notation = new NotationRequest { Plugin = new NotationPlugin(ProgramFile, key, redactor), Envelope = envelope };
        return bench.Request("1.0") with { Signing = new SigningRequest(null, SignatureFormat.Notation) { Notation = notation } };
    }

    private static Task<IReadOnlyList<SignatureResult>> VerifyAsync(PublishingBench bench, Digest image) =>
        bench.VerifyAsync(new CertificateRule("root.crt", new TrustAnchors([Authority.Root])), image);
}

using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Formats.Asn1;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using ImagePublish.Http;
using ImagePublish.Signing.Keyless;
using ImagePublish.Tests.Trust;
using ImagePublish.Trust;

namespace ImagePublish.Tests.Support;

/// <summary>An instance of sigstore, by its documents: an authority of certificates with a log of them, and a log of signatures that has
/// other entries, too. It refuses what the real services refuse.</summary>
internal sealed class FakeSigstore : IAsyncDisposable
{
    public const string Issuer = "https://issuer.example.com";
    public const string Subject = "https://git.example.com/acme/shop/.ci/publish.yml@refs/heads/main";

    private readonly LoopbackServer server;
    private readonly ECDsa authorityKey = ECDsa.Create(ECCurve.NamedCurves.nistP384);
    private readonly ECDsa logKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly ECDsa certificateLogKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly X509Certificate2 root;
    private readonly (TestAuthority Authority, RequestUrl Address)? stamps;
    private readonly List<byte[]> leaves =
    [
        .. Enumerable.Range(0, 6).Select(at => Encoding.ASCII.GetBytes($"an entry of somebody else, {at}")),
    ];

    /// <param name="tiles">A log of the second version, which it has too.</param>
    /// <param name="stamps">Who issues its time-stamps, and where.</param>
    public FakeSigstore(FakeRekorTiles? tiles = null, (TestAuthority Authority, RequestUrl Address)? stamps = null)
    {
        (Tiles, this.stamps) = (tiles, stamps);
        var request = new CertificateRequest("O=sigstore.example, CN=authority", authorityKey, HashAlgorithmName.SHA384);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        root = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddYears(-1), DateTimeOffset.UtcNow.AddYears(9));
        server = new LoopbackServer(AnswerAsync);
    }

    public string Address => server.Address;

    public FakeRekorTiles? Tiles { get; }

    /// <summary>The paths that were asked for.</summary>
    public ConcurrentQueue<string> Asked { get; } = [];

    /// <summary>Answers in place of the services, by path: a status and a body.</summary>
    public Dictionary<string, (int Status, string Body)> Faults { get; } = [];

    public Func<DateTimeOffset> Now { get; set; } = () => DateTimeOffset.UtcNow;

    public ECDsa? CertifiedKey { get; set; }

    public bool HasCertificateLog { get; set; } = true;

    public Func<JsonObject, JsonObject> ChangeEntry { get; set; } = entry => entry;

    public SigstoreRoot Root => SigstoreRoot.Parse(Encoding.UTF8.GetBytes(RootJson().ToJsonString()));

    public JsonObject RootJson() =>
        new()
        {
            ["mediaType"] = "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            ["tlogs"] = new JsonArray(Tiles?.Instance(Address) ?? SecondVersion(), Log(logKey)),
            ["ctlogs"] = new JsonArray(Log(certificateLogKey)),
            ["certificateAuthorities"] = new JsonArray(Authority(Address, root)),
            ["timestampAuthorities"] = stamps is { } stamping
                ? new JsonArray(Authority(stamping.Address.Shown, [.. stamping.Authority.Issue().Chain.Skip(1)]))
                : new JsonArray(),
        };

    private static JsonObject Authority(string address, params X509Certificate2[] chain) =>
        new()
        {
            ["uri"] = address,
            ["certChain"] = new JsonObject
            {
                ["certificates"] = new JsonArray([
                    .. chain.Select(one => (JsonNode)new JsonObject { ["rawBytes"] = Convert.ToBase64String(one.RawData) }),
                ]),
            },
            ["validFor"] = new JsonObject { ["start"] = "2020-01-01T00:00:00Z" },
        };

    public KeylessRequest Request(string? token = null)
    {
        var value = token ?? Token();
        return new KeylessRequest(
            new IdentityTokenSource
            {
                Name = "the test",
                Value = value,
                Identity = IdentityToken.Describe(value),
            },
            Root
        );
    }

    public KeylessRule Rule(string subject = Subject, string issuer = Issuer) =>
        new("policy.json", Root, [new IdentityPattern(subject, issuer)]);

    public static string Token(string subject = Subject, string audience = "sigstore", DateTimeOffset? expires = null)
    {
        var claims = new JsonObject
        {
            ["iss"] = Issuer,
            ["sub"] = subject,
            ["aud"] = audience,
            ["exp"] = (expires ?? DateTimeOffset.UtcNow.AddMinutes(10)).ToUnixTimeSeconds(),
        };
        return $"{Url("{\"alg\":\"none\"}")}.{Url(claims.ToJsonString())}.c2lnbmF0dXJlLW9mLXRoZS10b2tlbg";
    }

    public async ValueTask DisposeAsync()
    {
        await server.DisposeAsync();
        authorityKey.Dispose();
        logKey.Dispose();
        certificateLogKey.Dispose();
        root.Dispose();
    }

    private static string Url(string text) => System.Buffers.Text.Base64Url.EncodeToString(Encoding.UTF8.GetBytes(text));

    private JsonObject Log(ECDsa key) =>
        new()
        {
            ["baseUrl"] = Address,
            ["publicKey"] = new JsonObject
            {
                ["rawBytes"] = Convert.ToBase64String(key.ExportSubjectPublicKeyInfo()),
                ["validFor"] = new JsonObject { ["start"] = "2020-01-01T00:00:00Z" },
            },
            ["logId"] = new JsonObject { ["keyId"] = Convert.ToBase64String(IdOf(key)) },
        };

    // A log of Rekor's second version, newer than the first and with another interface: nobody listens there.
    private static JsonObject SecondVersion() =>
        new()
        {
            ["baseUrl"] = "http://127.0.0.1:1",
            ["publicKey"] = new JsonObject
            {
                ["rawBytes"] = "MCowBQYDK2VwAyEAt8rlp1knGwjfbcXAYPYAkn0XiLz1x8O4t0YkEhie244=",
                ["validFor"] = new JsonObject { ["start"] = "2025-09-23T00:00:00Z" },
            },
            ["logId"] = new JsonObject { ["keyId"] = "zxGZFVvd0FEmjR8WrFwMdcAJ9vtaY/QXf44Y1wUeP6A=" },
        };

    private static byte[] IdOf(ECDsa key) => SHA256.HashData(key.ExportSubjectPublicKeyInfo());

    private async Task AnswerAsync(HttpListenerContext context)
    {
        using var reader = new StreamReader(context.Request.InputStream);
        var (status, answer) = Answer(context.Request.Url!.AbsolutePath, await reader.ReadToEndAsync());
        context.Response.StatusCode = status;
        await using (context.Response.OutputStream)
            await context.Response.OutputStream.WriteAsync(Encoding.UTF8.GetBytes(answer));
    }

    private (int Status, string Body) Answer(string path, string body)
    {
        Asked.Enqueue(path);
        if (Faults.TryGetValue(path, out var fault))
            return fault;
        return path switch
        {
            "/api/v2/signingCert" => Certify(JsonNode.Parse(body)!),
            "/api/v1/log/entries" => Enter(JsonNode.Parse(body)!),
            $"{FakeRekorTiles.Path}/api/v2/log/entries" when Tiles is not null => Tiles.Enter(body),
            _ => (404, ""),
        };
    }

    private (int Status, string Body) Certify(JsonNode request)
    {
        var claims = JsonNode.Parse(
            System.Buffers.Text.Base64Url.DecodeFromChars(((string)request["credentials"]!["oidcIdentityToken"]!).Split('.')[1])
        )!;
        using var key = ECDsa.Create();
        key.ImportFromPem((string)request["publicKeyRequest"]!["publicKey"]!["content"]!);
        var subject = (string)claims["sub"]!;
        var proof = Convert.FromBase64String((string)request["publicKeyRequest"]!["proofOfPossession"]!);
        var isProven = key.VerifyData(
            Encoding.UTF8.GetBytes(subject),
            proof,
            HashAlgorithmName.SHA256,
            DSASignatureFormat.Rfc3279DerSequence
        );
        if (!isProven || (string)claims["aud"]! != "sigstore")
            return (400, """{"code":3,"message":"There was an error processing the identity token"}""");
        using var certificate = Issue(CertifiedKey ?? key, subject, (string)claims["iss"]!);
        var answer = new JsonObject
        {
            ["signedCertificateEmbeddedSct"] = new JsonObject
            {
                ["chain"] = new JsonObject
                {
                    ["certificates"] = new JsonArray(certificate.ExportCertificatePem(), root.ExportCertificatePem()),
                },
            },
        };
        return (201, answer.ToJsonString());
    }

    private X509Certificate2 Issue(ECDsa key, string subject, string issuer)
    {
        var now = Now();
        var serial = RandomNumberGenerator.GetBytes(8);
        serial[0] &= 0x7f;
        var generator = X509SignatureGenerator.CreateForECDsa(authorityKey);
        var request = new CertificateRequest("", key, HashAlgorithmName.SHA384);
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.3")], false));
        var names = new SubjectAlternativeNameBuilder();
        names.AddUri(new Uri(subject));
        request.CertificateExtensions.Add(names.Build(critical: true));
        request.CertificateExtensions.Add(new X509Extension("1.3.6.1.4.1.57264.1.1", Encoding.UTF8.GetBytes(issuer), false));
        request.CertificateExtensions.Add(new X509Extension("1.3.6.1.4.1.57264.1.8", Utf8(issuer), false));
        request.CertificateExtensions.Add(new X509Extension("1.3.6.1.4.1.57264.1.12", Utf8("https://git.example.com/acme/shop"), false));
        using var before = request.Create(root.SubjectName, generator, now, now.AddMinutes(10), serial);
        if (HasCertificateLog)
            request.CertificateExtensions.Add(new X509Extension("1.3.6.1.4.1.11129.2.4.2", StampList(before), false));
        return request.Create(root.SubjectName, generator, now, now.AddMinutes(10), serial);
    }

    private static byte[] Utf8(string text)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        writer.WriteCharacterString(UniversalTagNumber.UTF8String, text);
        return writer.Encode();
    }

    // RFC 6962, 3.2 and 3.3.
    private byte[] StampList(X509Certificate2 certificate)
    {
        var content = new AsnReader(certificate.RawData, AsnEncodingRules.DER).ReadSequence().ReadEncodedValue().ToArray();
        var time = new byte[8];
        BinaryPrimitives.WriteInt64BigEndian(time, Now().ToUnixTimeMilliseconds());
        byte[] signed =
        [
            0,
            0,
            .. time,
            0,
            1,
            .. SHA256.HashData(root.PublicKey.ExportSubjectPublicKeyInfo()),
            (byte)(content.Length >> 16),
            (byte)(content.Length >> 8),
            (byte)content.Length,
            .. content,
            0,
            0,
        ];
        var signature = Sign(certificateLogKey, signed);
        byte[] stamp = [0, .. IdOf(certificateLogKey), .. time, 0, 0, 4, 3, .. Sized(signature)];
        var writer = new AsnWriter(AsnEncodingRules.DER);
        writer.WriteOctetString(Sized(Sized(stamp)));
        return writer.Encode();
    }

    private static byte[] Sized(byte[] bytes) => [(byte)(bytes.Length >> 8), (byte)bytes.Length, .. bytes];

    // What Rekor keeps of a proposed entry is not what was proposed.
    private (int Status, string Body) Enter(JsonNode proposed)
    {
        if ((string?)proposed["kind"] == "hashedrekord")
            return EnterHash(proposed);
        var content = proposed["spec"]!["proposedContent"]!;
        var envelope = JsonNode.Parse((string)content["envelope"]!)!;
        var payload = Convert.FromBase64String((string)envelope["payload"]!);
        var verifier = (string)content["verifiers"]![0]!;
        var signature = (string)envelope["signatures"]![0]!["sig"]!;
        using var certificate = X509Certificate2.CreateFromPem(Encoding.ASCII.GetString(Convert.FromBase64String(verifier)));
        using var key = certificate.GetECDsaPublicKey()!;
        var head = Encoding.ASCII.GetBytes($"DSSEv1 28 application/vnd.in-toto+json {payload.Length} ");
        byte[] signed = [.. head, .. payload];
        var bytes = Convert.FromBase64String(signature);
        if (!key.VerifyData(signed, bytes, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence))
            return (400, """{"code":400,"message":"error processing entry: verifying signature: invalid"}""");
        var entry = ChangeEntry(
            new JsonObject
            {
                ["apiVersion"] = "0.0.1",
                ["kind"] = "dsse",
                ["spec"] = new JsonObject
                {
                    ["envelopeHash"] = Hash(Encoding.UTF8.GetBytes((string)content["envelope"]!)),
                    ["payloadHash"] = Hash(payload),
                    ["signatures"] = new JsonArray(new JsonObject { ["signature"] = signature, ["verifier"] = verifier }),
                },
            }
        );
        return (201, Append(Encoding.UTF8.GetBytes(entry.ToJsonString())).ToJsonString());
    }

    private (int Status, string Body) EnterHash(JsonNode proposed)
    {
        var signature = proposed["spec"]!["signature"]!;
        var pem = Encoding.ASCII.GetString(Convert.FromBase64String((string)signature["publicKey"]!["content"]!));
        using var certificate = X509Certificate2.CreateFromPem(pem);
        using var key = certificate.GetECDsaPublicKey()!;
        var hash = Convert.FromHexString((string)proposed["spec"]!["data"]!["hash"]!["value"]!);
        var bytes = Convert.FromBase64String((string)signature["content"]!);
        return key.VerifyHash(hash, bytes, DSASignatureFormat.Rfc3279DerSequence)
            ? (201, Append(Encoding.UTF8.GetBytes(proposed.ToJsonString())).ToJsonString())
            : (400, """{"code":400,"message":"error processing entry: verifying signature: invalid"}""");
    }

    private static JsonObject Hash(byte[] bytes) =>
        new() { ["algorithm"] = "sha256", ["value"] = Convert.ToHexStringLower(SHA256.HashData(bytes)) };

    // Entries come at the same time.
    private JsonObject Append(byte[] body)
    {
        lock (leaves)
            return AppendNext(body);
    }

    private JsonObject AppendNext(byte[] body)
    {
        // Others enter theirs, before and after.
        var index = leaves.Count;
        leaves.Add(body);
        leaves.Add(RandomNumberGenerator.GetBytes(40));
        // A shard of a log: its indexes are not those of the whole log.
        var global = index + 1000;
        var time = Now().ToUnixTimeSeconds();
        var id = Convert.ToHexStringLower(IdOf(logKey));
        var promised = $$"""{"body":"{{Convert.ToBase64String(body)}}","integratedTime":{{time}},"logID":"{{id}}","logIndex":{{global}}}""";
        var rootHash = MerkleTree.Root(leaves);
        var note = $"log.example - 42\n{leaves.Count}\n{Convert.ToBase64String(rootHash)}\n";
        byte[] signed = [.. IdOf(logKey)[..4], .. Sign(logKey, Encoding.UTF8.GetBytes(note))];
        return new JsonObject
        {
            [RandomNumberGenerator.GetHexString(64, lowercase: true)] = new JsonObject
            {
                ["body"] = Convert.ToBase64String(body),
                ["integratedTime"] = time,
                ["logID"] = id,
                ["logIndex"] = global,
                ["verification"] = new JsonObject
                {
                    ["signedEntryTimestamp"] = Convert.ToBase64String(Sign(logKey, Encoding.UTF8.GetBytes(promised))),
                    ["inclusionProof"] = new JsonObject
                    {
                        ["checkpoint"] = $"{note}\n\u2014 log.example {Convert.ToBase64String(signed)}\n",
                        ["hashes"] = new JsonArray([
                            .. MerkleTree.Path(leaves, index).Select(hash => (JsonNode)Convert.ToHexStringLower(hash)),
                        ]),
                        ["logIndex"] = index,
                        ["rootHash"] = Convert.ToHexStringLower(rootHash),
                        ["treeSize"] = leaves.Count,
                    },
                },
            },
        };
    }

    private static byte[] Sign(ECDsa key, byte[] data) =>
        key.SignData(data, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);
}

/// <summary>Merkle trees by the definition of RFC 9162, 2.1: without any of the shortcuts that verifiers take.</summary>
internal static class MerkleTree
{
    public static byte[] Root(IReadOnlyList<byte[]> leaves)
    {
        if (leaves.Count == 1)
            return SHA256.HashData([0, .. leaves[0]]);
        var half = Half(leaves.Count);
        return SHA256.HashData([1, .. Root([.. leaves.Take(half)]), .. Root([.. leaves.Skip(half)])]);
    }

    public static IReadOnlyList<byte[]> Path(IReadOnlyList<byte[]> leaves, int index)
    {
        if (leaves.Count == 1)
            return [];
        var half = Half(leaves.Count);
        IReadOnlyList<byte[]> left = [.. leaves.Take(half)];
        IReadOnlyList<byte[]> right = [.. leaves.Skip(half)];
        return index < half ? [.. Path(left, index), Root(right)] : [.. Path(right, index - half), Root(left)];
    }

    // The largest power of two below.
    private static int Half(int count) => 1 << (31 - int.LeadingZeroCount(count - 1));
}

using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using ImagePublish.Trust;

namespace ImagePublish.Tests.Support;

/// <summary>A log of Rekor's second version, by its documents: entries with a proof and no time, and checkpoints with its name.</summary>
internal sealed class FakeRekorTiles : IDisposable
{
    public const string Path = "/tiles";

    private readonly ECDsa? ecdsa;
    private readonly byte[] seed = RandomNumberGenerator.GetBytes(32);
    private readonly List<byte[]> leaves = [.. Enumerable.Range(0, 5).Select(_ => RandomNumberGenerator.GetBytes(40))];

    public FakeRekorTiles(string key) => ecdsa = key == "Ed25519" ? null : ECDsa.Create(ECCurve.NamedCurves.nistP256);

    /// <summary>The name in its checkpoints.</summary>
    public string Origin { get; set; } = "127.0.0.1";

    /// <summary>The name beside the signatures of its checkpoints.</summary>
    public string SignedBy { get; set; } = "127.0.0.1";

    /// <summary>Lines before its own signature: those of witnesses.</summary>
    public string Witnesses { get; set; } = "";

    /// <summary>Whether it keeps envelopes as it did before its first release.</summary>
    public bool KeepsEnvelopes { get; set; }

    public string Body { get; private set; } = "";

    public JsonObject Instance(string address) =>
        new()
        {
            ["baseUrl"] = address + Path,
            ["publicKey"] = new JsonObject
            {
                ["rawBytes"] = Convert.ToBase64String(PublicKey),
                ["validFor"] = new JsonObject { ["start"] = "2021-01-01T00:00:00Z" },
            },
            ["logId"] = new JsonObject { ["keyId"] = Convert.ToBase64String(KeyId("127.0.0.1")) },
        };

    public (int Status, string Body) Enter(string body)
    {
        Body = body;
        var proposed = JsonNode.Parse(body)!["hashedRekordRequestV002"]!;
        var digest = Convert.FromBase64String((string)proposed["digest"]!);
        var signature = proposed["signature"]!;
        var der = Convert.FromBase64String((string)signature["verifier"]!["x509Certificate"]!["rawBytes"]!);
        using var certificate = X509CertificateLoader.LoadCertificate(der);
        using var key = certificate.GetECDsaPublicKey()!;
        var bytes = Convert.FromBase64String((string)signature["content"]!);
        if (!key.VerifyHash(digest, bytes, DSASignatureFormat.Rfc3279DerSequence))
            return (400, """{"code":3,"message":"invalid signature"}""");
        return (200, Append(KeepsEnvelopes ? EnvelopeEntry(signature) : HashEntry(digest, signature)).ToJsonString());
    }

    public void Dispose() => ecdsa?.Dispose();

    /// <summary>What it is told of the payload of an envelope, before its first release.</summary>
    public byte[] Payload { get; set; } = [];

    private byte[] PublicKey => ecdsa?.ExportSubjectPublicKeyInfo() ?? Ed25519Key.PublicInfo(seed);

    // C2SP, Signed Note.
    private byte[] KeyId(string name) =>
        ecdsa is null ? SHA256.HashData([.. Encoding.UTF8.GetBytes(name), 0x0A, 0x01, .. PublicKey[^32..]]) : SHA256.HashData(PublicKey);

    private static JsonObject HashEntry(byte[] digest, JsonNode signature) =>
        new()
        {
            ["apiVersion"] = "0.0.2",
            ["kind"] = "hashedrekord",
            ["spec"] = new JsonObject
            {
                ["hashedRekordV002"] = new JsonObject
                {
                    ["data"] = new JsonObject { ["algorithm"] = "SHA2_256", ["digest"] = Convert.ToBase64String(digest) },
                    ["signature"] = signature.DeepClone(),
                },
            },
        };

    private JsonObject EnvelopeEntry(JsonNode signature) =>
        new()
        {
            ["apiVersion"] = "0.0.2",
            ["kind"] = "dsse",
            ["spec"] = new JsonObject
            {
                ["dsseV002"] = new JsonObject
                {
                    ["payloadHash"] = new JsonObject
                    {
                        ["algorithm"] = "SHA2_256",
                        ["digest"] = Convert.ToBase64String(SHA256.HashData(Payload)),
                    },
                    ["signatures"] = new JsonArray(signature.DeepClone()),
                },
            },
        };

    // Entries come at the same time.
    private JsonObject Append(JsonObject entry)
    {
        lock (leaves)
            return AppendNext(entry);
    }

    private JsonObject AppendNext(JsonObject entry)
    {
        var index = leaves.Count;
        var body = Encoding.UTF8.GetBytes(entry.ToJsonString());
        leaves.Add(body);
        leaves.Add(RandomNumberGenerator.GetBytes(40));
        var root = Convert.ToBase64String(MerkleTree.Root(leaves));
        var note = $"{Origin}\n{leaves.Count}\n{root}\n";
        var signed = Encoding.UTF8.GetBytes(note);
        var signature = ecdsa?.SignData(signed, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence)
            ?? Ed25519Key.Sign(seed, signed);
        var line = $"\u2014 {SignedBy} {Convert.ToBase64String([.. KeyId(SignedBy)[..4], .. signature])}\n";
        return new JsonObject
        {
            ["logIndex"] = $"{index}",
            ["logId"] = new JsonObject { ["keyId"] = Convert.ToBase64String(KeyId("127.0.0.1")) },
            ["kindVersion"] = new JsonObject { ["kind"] = entry["kind"]!.DeepClone(), ["version"] = "0.0.2" },
            ["integratedTime"] = "0",
            ["inclusionPromise"] = null,
            ["inclusionProof"] = new JsonObject
            {
                ["logIndex"] = $"{index}",
                ["rootHash"] = root,
                ["treeSize"] = $"{leaves.Count}",
                ["hashes"] = new JsonArray([.. MerkleTree.Path(leaves, index).Select(hash => (JsonNode)Convert.ToBase64String(hash))]),
                ["checkpoint"] = new JsonObject { ["envelope"] = $"{note}\n{Witnesses}{line}" },
            },
            ["canonicalizedBody"] = Convert.ToBase64String(body),
        };
    }
}

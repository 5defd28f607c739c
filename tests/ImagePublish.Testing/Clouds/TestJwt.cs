using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace ImagePublish.Testing.Clouds;

/// <summary>JSON web tokens, signed as RS256 by one issuer.</summary>
public sealed class TestJwt(string issuer) : IDisposable
{
    // A key takes a quarter of a second to make: it is handed on, and two issuers at one time never have the same.
    private static readonly ConcurrentBag<RSA> FreeKeys = [];

    private readonly Lazy<RSA> key = new(() => FreeKeys.TryTake(out var free) ? free : RSA.Create(2048));

    public string PrivateKey => key.Value.ExportPkcs8PrivateKeyPem();

    public string Create(string audience, string subject, DateTimeOffset now) =>
        Sign(
            new JsonObject { ["alg"] = "RS256", ["typ"] = "JWT" },
            new JsonObject
            {
                ["iss"] = issuer,
                ["aud"] = audience,
                ["sub"] = subject,
                ["iat"] = now.ToUnixTimeSeconds(),
                ["exp"] = now.AddMinutes(5).ToUnixTimeSeconds(),
                ["jti"] = Guid.NewGuid().ToString(),
            }
        );

    /// <summary>The claims of a token that this issuer signed and that has not expired; null of any other.</summary>
    public JsonObject? Read(string? token, DateTimeOffset now)
    {
        if (token?.Split('.') is not [var header, var claims, var signature])
            return null;
        var isSigned = key.Value.VerifyData(
            Encoding.ASCII.GetBytes($"{header}.{claims}"),
            Base64Url.DecodeFromChars(signature),
            HashAlgorithmName.SHA256,
            RSASignaturePadding.Pkcs1
        );
        var head = Decode(header);
        var body = Decode(claims);
        var isGood = isSigned && (string?)head["alg"] == "RS256" && (string?)body["iss"] == issuer;
        return isGood && (long?)body["exp"] > now.ToUnixTimeSeconds() && (long?)body["iat"] <= now.ToUnixTimeSeconds() ? body : null;
    }

    public void Dispose()
    {
        if (key.IsValueCreated)
            FreeKeys.Add(key.Value);
    }

    private static JsonObject Decode(string part) => JsonNode.Parse(Base64Url.DecodeFromChars(part))!.AsObject();

    private string Sign(JsonObject header, JsonObject claims)
    {
        var text = $"{Encode(header)}.{Encode(claims)}";
        var signature = key.Value.SignData(Encoding.ASCII.GetBytes(text), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        return $"{text}.{Base64Url.EncodeToString(signature)}";
    }

    private static string Encode(JsonObject json) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(json.ToJsonString()));
}

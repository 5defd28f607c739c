using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace ImagePublish.Registries.Auth.Identities;

/// <summary>Keys of AWS, of a user or of a session.</summary>
/// <param name="Origin">Where they are from, in words.</param>
internal sealed record AwsKeys(string AccessKeyId, string SecretAccessKey, string? SessionToken, string Origin)
{
    public DateTimeOffset ExpiresAt { get; init; } = DateTimeOffset.MaxValue;

    public override string ToString() => $"AwsKeys {{ {Origin} }}";
}

/// <summary>Signs requests to AWS, so far as requests without path and query need it.</summary>
/// <remarks><see href="https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html">Create a signed AWS API
/// request</see>.</remarks>
internal static class AwsSignature
{
    private const string Algorithm = "AWS4-HMAC-SHA256";

    /// <summary>The headers to send: those that were given, the date, the session's token, and the signature of all of them.</summary>
    public static IReadOnlyList<KeyValuePair<string, string>> Sign(AwsRequest request, AwsKeys keys, DateTimeOffset now)
    {
        var time = now.UtcDateTime.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);
        List<KeyValuePair<string, string>> headers = [.. request.Headers, new("X-Amz-Date", time)];
        if (keys.SessionToken is { } session)
            headers.Add(new("X-Amz-Security-Token", session));
        var signed = headers
            .Append(new("Host", request.Host))
            .Select(header => (Name: header.Key.ToLowerInvariant(), Value: Collapse(header.Value)))
            .OrderBy(header => header.Name, StringComparer.Ordinal)
            .ToList();
        var names = string.Join(';', signed.Select(header => header.Name));
        var lines = string.Concat(signed.Select(header => $"{header.Name}:{header.Value}\n"));
        var canonical = $"{request.Method}\n/\n\n{lines}\n{names}\n{Convert.ToHexStringLower(SHA256.HashData(request.Body))}";

        var scope = $"{time[..8]}/{request.Region}/{request.Service}/aws4_request";
        var toSign = $"{Algorithm}\n{time}\n{scope}\n{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(canonical)))}";
        var key = Encoding.UTF8.GetBytes("AWS4" + keys.SecretAccessKey);
        foreach (var part in scope.Split('/'))
            key = HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(part));
        var signature = Convert.ToHexStringLower(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(toSign)));
        headers.Add(
            new("Authorization", $"{Algorithm} Credential={keys.AccessKeyId}/{scope}, SignedHeaders={names}, Signature={signature}")
        );
        return headers;
    }

    private static string Collapse(string value) => string.Join(' ', value.Split(' ', StringSplitOptions.RemoveEmptyEntries));
}

/// <summary>A request to the root of a service of AWS.</summary>
internal sealed record AwsRequest(string Method, string Host, string Region, string Service)
{
    /// <summary>Headers that are signed, besides the host and those that the signature adds.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Headers { get; init; } = [];

    public byte[] Body { get; init; } = [];
}

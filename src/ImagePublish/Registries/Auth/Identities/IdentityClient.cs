using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Http;
using ImagePublish.Oci;
using ImagePublish.Registries.Auth.Credentials;

namespace ImagePublish.Registries.Auth.Identities;

/// <summary>A request to a service that gives or exchanges tokens.</summary>
/// <param name="Service">What it is, as the subject of a sentence.</param>
internal sealed record IdentityRequest(string Service, HttpMethod Method, Uri Address)
{
    public IReadOnlyList<KeyValuePair<string, string>> Headers { get; init; } = [];

    public IReadOnlyList<KeyValuePair<string, string>>? Form { get; init; }

    public byte[]? Body { get; init; }

    public string BodyType { get; init; } = "application/json";

    /// <summary>Whether it is a service of this machine, which speaks plain http at an address that is documented.</summary>
    public bool IsLocal { get; init; }

    /// <summary>What to do where the service refuses: a sentence.</summary>
    public required string Advice { get; init; }
}

/// <summary>Sends the requests of identities: over https, or to the metadata services of clouds at their documented addresses. No redirect
/// is followed.</summary>
/// <param name="local">Goes to this machine's services: through no proxy, and without waiting long for a connection.</param>
internal sealed class IdentityClient(Registry registry, ITokenTransport remote, ITokenTransport local, Redactor redactor)
{
    private static readonly TimeSpan LocalTimeout = TimeSpan.FromSeconds(30);

    public Redactor Redactor => redactor;

    /// <summary>Sends a request whose answer is a JSON object.</summary>
    /// <exception cref="ImagePublishException"><c>IMG5020</c>: refused; <c>IMG5022</c>: the answer can't be used.</exception>
    public async Task<JsonElement> GetJsonAsync(IdentityRequest request, CancellationToken ct)
    {
        var response = await SendAsync(request, ct);
        return response.Status == HttpStatusCode.OK ? ReadJson(request, response) : throw Refused(request, response);
    }

    public async Task<TokenHttpResponse> SendAsync(IdentityRequest request, CancellationToken ct)
    {
        Check(request);
        using var message = new HttpRequestMessage(request.Method, request.Address);
        message.Headers.TryAddWithoutValidation("Accept", "application/json");
        foreach (var (name, value) in request.Headers)
            message.Headers.TryAddWithoutValidation(name, value);
        if (request.Form is { } form)
            message.Content = new FormUrlEncodedContent(form);
        else if (request.Body is { } body)
            message.Content = new ByteArrayContent(body) { Headers = { ContentType = MediaTypeHeaderValue.Parse(request.BodyType) } };
        if (!request.IsLocal)
            return await remote.SendAsync(message, ct);
        using var limited = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limited.CancelAfter(LocalTimeout);
        return await local.SendAsync(message, limited.Token);
    }

    /// <summary>Sends a request to a service that may not be there.</summary>
    /// <returns>Null where nothing answers.</returns>
    public async Task<TokenHttpResponse?> TrySendAsync(IdentityRequest request, IPublishLog log, CancellationToken ct)
    {
        try
        {
            return await SendAsync(request, ct);
        }
        catch (Exception exception) when (IsAbsence(exception, ct))
        {
            log.Detail($"{request.Service} at {request.Address.Authority} does not answer.");
            return null;
        }
    }

    public JsonElement ReadJson(IdentityRequest request, TokenHttpResponse response) =>
        response.ReadObject(reason => Malformed(request, reason));

    /// <summary>A token of an answer, known to the redactor from here on.</summary>
    /// <exception cref="ImagePublishException"><c>IMG5022</c>: it is missing, or can't be sent on.</exception>
    public string ReadToken(IdentityRequest request, JsonElement json, string name)
    {
        var value = Json.Text(json, name);
        redactor.Add(value);
        return IdentityAnswer.IsHeaderText(value) ? value! : throw Malformed(request, $"it has no '{name}' that can be used");
    }

    /// <summary>A token that is all of an answer.</summary>
    /// <exception cref="ImagePublishException"><c>IMG5022</c>: it can't be sent on.</exception>
    public string ReadToken(IdentityRequest request, TokenHttpResponse response)
    {
        var value = Encoding.UTF8.GetString(response.Body.Span).Trim();
        redactor.Add(value);
        return IdentityAnswer.IsHeaderText(value) ? value : throw Malformed(request, "it is not a token");
    }

    public ImagePublishException Malformed(IdentityRequest request, string reason) =>
        new(
            DiagnosticCodes.IdentityAnswerUnusable,
            $"{registry} can't be signed in to with the build's identity: {request.Service} at {request.Address.Authority} returned an "
                + $"invalid response: {reason}. Check whether a proxy answers instead."
        );

    public ImagePublishException Refused(IdentityRequest request, TokenHttpResponse response) =>
        new(
            (int)response.Status is 429 or >= 500 ? DiagnosticCodes.RegistryFailed : DiagnosticCodes.IdentityRefused,
            $"{registry} can't be signed in to with the build's identity: {DescribeRefusal(request, response)}."
        );

    public string DescribeRefusal(IdentityRequest request, TokenHttpResponse response)
    {
        var status = (int)response.Status;
        var text = status is >= 300 and < 400
            ? "a redirect, which is not followed"
            : redactor.Shown(IdentityAnswer.Explain(response) ?? "");
        var said = text.Length > 0 ? $" ({text})" : "";
        var number = status.ToString(CultureInfo.InvariantCulture);
        return $"{request.Service} at {request.Address.Authority} answers {number}{said}. {request.Advice}";
    }

    private static bool IsAbsence(Exception exception, CancellationToken ct) =>
        exception switch
        {
            ImagePublishException failure => failure.Code == DiagnosticCodes.RegistryUnreachable
                || failure.Code == DiagnosticCodes.RegistryFailed
                || failure.Code == DiagnosticCodes.RegistryProtocol,
            OperationCanceledException => !ct.IsCancellationRequested,
            _ => false,
        };

    private void Check(IdentityRequest request)
    {
        var isAllowed = request.IsLocal ? LocalServices.Allow(request.Address) : request.Address.Scheme == Uri.UriSchemeHttps;
        if (!isAllowed || request.Address.UserInfo.Length > 0)
            throw new ImagePublishException(
                DiagnosticCodes.IdentityUnusable,
                $"{registry} can't be signed in to with the build's identity: {request.Service} has the address "
                    + $"{Realms.RealmPolicy.Shown(request.Address)}, "
                    + (request.IsLocal ? "which is not an address of such a service" : "which is not https")
                    + ", so nothing was sent to it. Correct the environment variable or the file that contains it."
            );
    }
}

/// <summary>Where plain http is allowed: services of this machine that its cloud documents.</summary>
internal static class LocalServices
{
    public static readonly Uri Metadata = new("http://169.254.169.254/");
    public static readonly Uri ContainerCredentials = new("http://169.254.170.2/");

    /// <summary>Whether an address never leaves this machine or its link. Names are not resolved: <c>localhost</c> is the only one that
    /// everybody knows.</summary>
    public static bool Allow(Uri address)
    {
        if (!address.IsAbsoluteUri || address.Scheme != Uri.UriSchemeHttp)
            return false;
        var host = HostName.Normalize(address.IdnHost);
        return host == "localhost"
            || host == "fd00:ec2::23"
            || (IPAddress.TryParse(host, out var ip) && (IPAddress.IsLoopback(ip) || IsLinkLocal(ip)));
    }

    private static bool IsLinkLocal(IPAddress address) => address.GetAddressBytes() is [169, 254, _, _];
}

/// <summary>Reads what identity services answer.</summary>
internal static class IdentityAnswer
{
    private const int LongestToken = 32 * 1024;

    private static readonly TimeSpan UsualLifetime = TimeSpan.FromMinutes(10);

    /// <summary>Whether a text can be a header's value as it is.</summary>
    public static bool IsHeaderText(string? value) => value is { Length: > 0 and <= LongestToken } && TokenAnswer.IsHeaderText(value);

    /// <summary>When a token expires that lives for some time.</summary>
    public static DateTimeOffset ReadLifetime(JsonElement json, DateTimeOffset issuedAt) =>
        issuedAt + TokenAnswer.ReadLifetime(json, UsualLifetime);

    /// <summary>When a token expires that lives until an instant, in seconds since 1970.</summary>
    public static DateTimeOffset ReadEpoch(JsonElement json, string name, DateTimeOffset now) =>
        Json.Number(json, name) is > 0 and < 1e11 and var seconds
            ? Limit(DateTimeOffset.UnixEpoch.AddSeconds(seconds), now)
            : now + UsualLifetime;

    /// <summary>When a token expires that lives until an instant, in RFC 3339.</summary>
    public static DateTimeOffset ReadInstant(string? text, DateTimeOffset now) =>
        DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var instant)
            ? Limit(instant, now)
            : now + UsualLifetime;

    /// <summary>What a service says of why it refuses: Entra, GitHub, AWS and Google say it in different places.</summary>
    public static string? Explain(TokenHttpResponse response)
    {
        if (response.IsTruncated)
            return null;
        try
        {
            using var json = Json.Parse(response.Body);
            return json.RootElement.ValueKind == JsonValueKind.Object ? Explain(json.RootElement) : null;
        }
        catch (JsonException)
        {
            return response.Body.Span.TrimStart(" \r\n"u8).StartsWith("<"u8) ? null : Encoding.UTF8.GetString(response.Body.Span);
        }
    }

    private static string? Explain(JsonElement root)
    {
        if (root.TryGetProperty("error", out var error) && error.ValueKind == JsonValueKind.Object)
            return Json.Text(error, "message");
        var message = Json.Text(root, "error_description") ?? Json.Text(root, "message") ?? Json.Text(root, "Message");
        var code = Json.Text(root, "error") ?? Json.Text(root, "__type");
        return message is null || code is null ? message ?? code : $"{code}: {message}";
    }

    private static DateTimeOffset Limit(DateTimeOffset instant, DateTimeOffset now)
    {
        var latest = now + TokenAnswer.LongestLifetime;
        return instant < latest ? instant : latest;
    }
}

using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Text;
using ImagePublish.Http;
using ImagePublish.Oci;
using ImagePublish.Registries.Auth;

namespace ImagePublish.Tests.Support;

/// <summary>A token service that answers what a test tells it to, and remembers what it was asked.</summary>
internal sealed class FakeTokenService(Func<TokenCall, TokenHttpResponse>? answer = null) : ITokenTransport
{
    private readonly Func<TokenCall, TokenHttpResponse> answer = answer ?? (call => Token($"token-{call.Number}"));
    private readonly ConcurrentQueue<TokenCall> calls = new();
    private int count;

    public IReadOnlyList<TokenCall> Calls => [.. calls];

    public TokenCall Call => Assert.Single(calls);

    public Task? Gate { get; init; }

    public static TokenHttpResponse Json(HttpStatusCode status, string body) => new(status, Encoding.UTF8.GetBytes(body));

    public static TokenHttpResponse Token(string token, int expiresIn = 300) =>
        Json(HttpStatusCode.OK, string.Create(CultureInfo.InvariantCulture, $$"""{"token":"{{token}}","expires_in":{{expiresIn}}}"""));

    public static TokenHttpResponse Status(HttpStatusCode status) =>
        Json(status, """{"errors":[{"code":"DENIED","message":"not for you"}]}""");

    public async Task<TokenHttpResponse> SendAsync(HttpRequestMessage request, CancellationToken ct)
    {
        var form = request.Content is null ? null : await request.Content.ReadAsStringAsync(ct);
        var isGuarded = request.Options.TryGetValue(AddressGuard.RegistryOption, out var registry);
        var call = new TokenCall(
            Interlocked.Increment(ref count),
            request.Method.Method,
            request.RequestUri!,
            request.Headers.Authorization?.ToString(),
            form,
            isGuarded ? registry : null
        );
        calls.Enqueue(call);
        if (Gate is not null)
            await Gate.WaitAsync(ct);
        return answer(call);
    }
}

/// <summary>A request for a token.</summary>
internal sealed record TokenCall(int Number, string Method, Uri Address, string? Authorization, string? Form, Registry? Guarded)
{
    public IReadOnlyList<string> Query(string name) => Values(Address.Query.TrimStart('?'), name);

    public string? Field(string name) => Values(Form ?? "", name).SingleOrDefault();

    private static IReadOnlyList<string> Values(string form, string name) =>
        [
            .. form.Split('&', StringSplitOptions.RemoveEmptyEntries)
                .Select(pair => pair.Split('=', 2))
                .Where(pair => pair[0] == name)
                .Select(pair => WebUtility.UrlDecode(pair[1])),
        ];
}

using System.Net;
using ImagePublish.Http;

namespace ImagePublish.Registries.Auth;

/// <summary>Sends the requests that get tokens.</summary>
/// <remarks>
/// It follows no redirect, keeps no cookies, reads at most <see cref="TokenHttpResponse.MaxBodySize"/> bytes of a body, and retries what deserves it (a request may be sent again as it is).
/// A request that has <see cref="AddressGuard.RegistryOption"/> goes through a handler that <see cref="AddressGuard.Protect"/> was given, and no other request does.
/// An <see cref="Diagnostics.ImagePublishException"/> inside an <see cref="HttpRequestException"/> is the guard's refusal: thrown on as it is, never retried.
/// </remarks>
internal interface ITokenTransport
{
    /// <summary>Sends one request.</summary>
    Task<TokenHttpResponse> SendAsync(HttpRequestMessage request, CancellationToken ct);
}

/// <summary>An answer to a request for a token.</summary>
internal sealed record TokenHttpResponse(HttpStatusCode Status, ReadOnlyMemory<byte> Body)
{
    /// <summary>The most bytes of a body that are read.</summary>
    public const int MaxBodySize = 128 * 1024;

    /// <summary>Whether the body was longer than may be read.</summary>
    public bool IsTruncated { get; init; }

    /// <summary>Where a redirect leads, as the header says it: it may be relative.</summary>
    public Uri? Location { get; init; }

    /// <summary>Says nothing of the body, which may hold a token.</summary>
    public override string ToString() => $"TokenHttpResponse {{ {Status} }}";
}

using System.Collections.Concurrent;
using ImagePublish.Registries;

namespace ImagePublish.Http;

/// <summary>Which hosts are worth asking with <c>Expect: 100-continue</c> before a large body is sent to them.</summary>
/// <remarks>
/// <para><see href="https://www.rfc-editor.org/rfc/rfc9110#section-10.1.1">RFC 9110, Expect</see>. A refusal (413, 401) then costs a round trip instead of the upload.</para>
/// <para>
/// Over HTTP/2 it is never used: a refusal ends the stream at once, whatever is still being sent. And nginx does not answer it there: each large blob would wait until
/// <see cref="RegistryClientOptions.ContinueTimeout"/>. A host whose protocol is not known yet may speak HTTP/2 as well.
/// </para>
/// <para>Over HTTP/1.1 most servers read a body that they refuse to its end, or reset the connection before their answer is read. A host that does not answer is asked once.</para>
/// </remarks>
internal sealed class Expectations
{
    private readonly ConcurrentDictionary<string, bool> http1 = new(StringComparer.Ordinal);

    /// <summary>Whether to ask the host of an address.</summary>
    public bool AreUseful(RequestUrl url) => http1.TryGetValue(Origin(url), out var answers) && answers;

    /// <summary>Learns from an answer.</summary>
    public void Learn(RequestUrl url, Version version, bool wasIgnored)
    {
        if (wasIgnored)
            http1[Origin(url)] = false;
        else if (version.Major < 2)
            http1.TryAdd(Origin(url), true);
    }

    // With the scheme: nginx answers plain http at a port of TLS too, with 400.
    private static string Origin(RequestUrl url) => $"{url.Scheme}://{url.Authority}";
}

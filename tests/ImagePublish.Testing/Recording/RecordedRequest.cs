using System.Text;

namespace ImagePublish.Testing;

/// <summary>One request as it arrived, and what became of it.</summary>
public sealed class RecordedRequest
{
    private readonly MemoryStream text = new();
    private readonly Lock gate = new();
    private long bodyBytes;

    internal RecordedRequest(
        int number,
        Route route,
        string method,
        string target,
        string host,
        string protocol,
        string connectionId,
        IReadOnlyDictionary<string, string> headers
    )
    {
        Number = number;
        Route = route;
        Method = method;
        Target = target;
        Host = host;
        Protocol = protocol;
        ConnectionId = connectionId;
        Headers = headers;
    }

    /// <summary>1, 2, 3, … in order of arrival.</summary>
    public int Number { get; }

    public RegistryStep Step => Route.Step;

    public string Method { get; }

    /// <summary>Path and query exactly as sent.</summary>
    public string Target { get; }

    public string Path => Target.Split('?', 2)[0];

    /// <summary>The query exactly as sent, without the question mark.</summary>
    public string Query => Target.Split('?', 2) is [_, var query] ? query : "";

    public string Repository => Route.Repository;

    /// <summary>Digest, tag or upload id.</summary>
    public string Reference => Route.Reference;

    /// <summary>The Host header: tells the second host from the first.</summary>
    public string Host { get; }

    /// <summary><c>HTTP/1.1</c> or <c>HTTP/2</c>.</summary>
    public string Protocol { get; }

    public string ConnectionId { get; }

    /// <summary>Names in any case; several values joined with <c>, </c>.</summary>
    public IReadOnlyDictionary<string, string> Headers { get; }

    public string? Authorization => Header("Authorization");

    /// <summary>Bytes of the body that were read.</summary>
    public long BodyBytes => Interlocked.Read(ref bodyBytes);

    /// <summary>The body's first 64 KiB, except of blobs.</summary>
    public string BodyText
    {
        get
        {
            lock (gate)
                return Encoding.UTF8.GetString(text.ToArray());
        }
    }

    /// <summary>The status that was sent; 0 when the connection ended without one.</summary>
    public int Status { get; internal set; }

    /// <summary>The connection broke, by whichever side.</summary>
    public bool Aborted { get; internal set; }

    /// <summary>The faults that took part.</summary>
    public IReadOnlyList<Fault> Faults { get; internal set; } = [];

    internal Route Route { get; }

    public string? Header(string name) => Headers.TryGetValue(name, out var value) ? value : null;

    public override string ToString() => $"{Number} {Method} {Target} → {(Status == 0 ? "nothing" : Status)}";

    internal void Read(ReadOnlySpan<byte> bytes)
    {
        Interlocked.Add(ref bodyBytes, bytes.Length);
        if (Step is RegistryStep.UploadPost or RegistryStep.UploadPatch or RegistryStep.UploadPut)
            return;
        lock (gate)
            text.Write(bytes[..(int)Math.Min(bytes.Length, (64 << 10) - text.Length)]);
    }
}

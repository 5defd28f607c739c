using System.Collections;
using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace ImagePublish.Testing;

/// <summary>Every request in order of arrival, also while more are arriving.</summary>
[SuppressMessage("Naming", "CA1710:Identifiers should have correct suffix", Justification = "A log is one.")]
public sealed class RequestLog : IReadOnlyCollection<RecordedRequest>
{
    private readonly Lock gate = new();
    private readonly List<RecordedRequest> requests = [];
    private readonly Dictionary<RegistryStep, int> now = [];
    private readonly Dictionary<RegistryStep, int> most = [];
    private int number;

    public int Count
    {
        get
        {
            lock (gate)
                return requests.Count;
        }
    }

    /// <summary>Bytes of blobs that arrived, repeated ones too.</summary>
    public long UploadedBytes => Of(RegistryStep.UploadPost, RegistryStep.UploadPatch, RegistryStep.UploadPut).Sum(r => r.BodyBytes);

    public IReadOnlyList<RecordedRequest> Of(params RegistryStep[] steps) => [.. this.Where(r => steps.Contains(r.Step))];

    public int CountOf(RegistryStep step) => Of(step).Count;

    /// <summary>The most requests of this step that were under way at once.</summary>
    public int MaxConcurrent(RegistryStep step)
    {
        lock (gate)
            return most.GetValueOrDefault(step);
    }

    /// <summary>Forgets what was recorded so far.</summary>
    public void Clear()
    {
        lock (gate)
        {
            requests.Clear();
            most.Clear();
        }
    }

    public IEnumerator<RecordedRequest> GetEnumerator()
    {
        lock (gate)
            return ((IEnumerable<RecordedRequest>)requests.ToArray()).GetEnumerator();
    }

    public override string ToString() => string.Join('\n', this);

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    internal RecordedRequest Begin(HttpContext http, Route route)
    {
        var target = http.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        var headers = http.Request.Headers.ToDictionary(
            h => h.Key,
            h => string.Join(", ", h.Value.ToArray()),
            StringComparer.OrdinalIgnoreCase
        );
        lock (gate)
        {
            var record = new RecordedRequest(
                ++number,
                route,
                http.Request.Method,
                target,
                http.Request.Host.Value ?? "",
                http.Request.Protocol,
                http.Connection.Id,
                headers
            );
            requests.Add(record);
            var now = this.now[route.Step] = this.now.GetValueOrDefault(route.Step) + 1;
            most[route.Step] = Math.Max(now, most.GetValueOrDefault(route.Step));
            return record;
        }
    }

    internal void End(RecordedRequest record)
    {
        lock (gate)
            now[record.Step]--;
    }
}

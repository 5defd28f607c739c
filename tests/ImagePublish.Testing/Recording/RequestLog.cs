using System.Collections;
using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace ImagePublish.Testing;

/// <summary>Every request in order of arrival, also while more are arriving.</summary>
[SuppressMessage("Naming", "CA1710:Identifiers should have correct suffix", Justification = "A log is one.")]
public sealed class RequestLog : IReadOnlyCollection<RecordedRequest>
{
    private readonly Lock _gate = new();
    private readonly List<RecordedRequest> _requests = [];
    private readonly Dictionary<RegistryStep, int> _now = [];
    private readonly Dictionary<RegistryStep, int> _most = [];
    private int _number;

    public int Count
    {
        get
        {
            lock (_gate)
                return _requests.Count;
        }
    }

    /// <summary>Bytes of blobs that arrived, repeated ones too.</summary>
    public long UploadedBytes => Of(RegistryStep.UploadPost, RegistryStep.UploadPatch, RegistryStep.UploadPut).Sum(r => r.BodyBytes);

    public IReadOnlyList<RecordedRequest> Of(params RegistryStep[] steps) => [.. this.Where(r => steps.Contains(r.Step))];

    public int CountOf(RegistryStep step) => Of(step).Count;

    /// <summary>The most requests of this step that were under way at once.</summary>
    public int MaxConcurrent(RegistryStep step)
    {
        lock (_gate)
            return _most.GetValueOrDefault(step);
    }

    /// <summary>Forgets what was recorded so far.</summary>
    public void Clear()
    {
        lock (_gate)
        {
            _requests.Clear();
            _most.Clear();
        }
    }

    public IEnumerator<RecordedRequest> GetEnumerator()
    {
        lock (_gate)
            return ((IEnumerable<RecordedRequest>)_requests.ToArray()).GetEnumerator();
    }

    public override string ToString() => string.Join('\n', this);

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    internal RecordedRequest Begin(HttpContext http, Route route)
    {
        var target = http.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        var headers = http.Request.Headers.ToDictionary(h => h.Key, h => string.Join(", ", h.Value.ToArray()), StringComparer.OrdinalIgnoreCase);
        lock (_gate)
        {
            var record = new RecordedRequest(++_number, route, http.Request.Method, target, http.Request.Host.Value ?? "", http.Request.Protocol,
                http.Connection.Id, headers);
            _requests.Add(record);
            var now = _now[route.Step] = _now.GetValueOrDefault(route.Step) + 1;
            _most[route.Step] = Math.Max(now, _most.GetValueOrDefault(route.Step));
            return record;
        }
    }

    internal void End(RecordedRequest record)
    {
        lock (_gate)
            _now[record.Step]--;
    }
}

using System.Collections;
using Microsoft.AspNetCore.Http;

namespace ImagePublish.Testing;

/// <summary>What is going to go wrong. The first added is the outermost.</summary>
public sealed class FaultSet : IReadOnlyCollection<Fault>
{
    private readonly Lock gate = new();
    private readonly List<Fault> faults = [];

    public int Count
    {
        get
        {
            lock (gate)
                return faults.Count;
        }
    }

    public Fault Add(Fault fault)
    {
        lock (gate)
            faults.Add(fault);
        return fault;
    }

    public Fault Add(RegistryStep step, FaultAction action) => Add(new Fault(step, action));

    public void Clear()
    {
        lock (gate)
            faults.Clear();
    }

    public IEnumerator<Fault> GetEnumerator()
    {
        lock (gate)
            return ((IEnumerable<Fault>)faults.ToArray()).GetEnumerator();
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>Runs <paramref name="answer"/> inside the faults that strike this request.</summary>
    internal Task RunAsync(HttpContext http, RecordedRequest request, bool authorized, Func<Task> answer)
    {
        var striking = this.Where(f => (authorized || f.AlsoUnauthorized) && f.Strikes(request)).ToArray();
        request.Faults = striking;
        foreach (var fault in striking.Reverse())
        {
            var inner = answer;
            answer = () => fault.Action.InvokeAsync(http, request, inner);
        }

        return answer();
    }
}

using System.Globalization;

namespace ImagePublish.Benchmarks.Cases;

/// <summary>One build of a fleet.</summary>
internal sealed record FleetRow(int Services, int Machines, string Title)
{
    public int Digests { get; init; }

    public int Requests { get; init; }

    /// <summary>The requests for the service that cost fewest.</summary>
    public int Untouched { get; init; }

    public long SentBytes { get; init; }

    /// <summary>What the registry has to keep more.</summary>
    public long StoredBytes { get; init; }

    public double Seconds { get; init; }

    public long PeakMemory { get; init; }

    public static string Table(IEnumerable<FleetRow> rows) =>
        string.Join(
            '\n',
            [
                "| Services | Machines | Build | new digests | requests | of these for each untouched service | sent | stored | seconds | peak memory |",
                "|---:|---:|---|---:|---:|---:|---:|---:|---:|---:|",
                .. rows.Select(row => row.ToString()),
            ]
        );

    public override string ToString()
    {
        var untouched = Digests < Services ? Untouched.ToString(CultureInfo.InvariantCulture) : "";
        return string.Create(
            CultureInfo.InvariantCulture,
            $"| {Services:N0} | {Machines} | {Title} | {Digests:N0} | {Requests:N0} | {untouched} | {SentBytes / 1e6:N2} MB | {StoredBytes / 1e6:N2} MB | {Seconds:0.0} | {PeakMemory / 1e6:0} MB |"
        );
    }
}

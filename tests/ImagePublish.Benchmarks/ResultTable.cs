using System.Globalization;
using ImagePublish.Benchmarks.Cases;

namespace ImagePublish.Benchmarks;

/// <summary>The results as a Markdown table.</summary>
internal static class ResultTable
{
    public static string Write(IReadOnlyList<CaseResult> results)
    {
        var isDistant = results.Any(result => result.Ours.RoundTrips is not null);
        return string.Join(
            '\n',
            [
                "| Case | plain (s) | this package (s) | the SDK's (s) | share | goal | work, this package / the SDK (s) | "
                    + "bytes, this package | bytes, the SDK | requests, this package / the SDK | peak memory over plain, this package / the SDK |"
                    + (isDistant ? " in sequence, this package / the SDK |" : ""),
                $"|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|{(isDistant ? "---:|" : "")}",
                .. results.Select(result => Row(result) + (isDistant ? $" {result.Ours.RoundTrips} / {result.Sdk.RoundTrips} |" : "")),
            ]
        );
    }

    private static string Row(CaseResult result) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"| {result.Case.Title} | {result.Plain.Seconds:0.00} | {result.OurOverhead:+0.00;-0.00} | {result.SdkOverhead:+0.00;-0.00} | {(result.Share <= result.Case.Goal ? "" : "**")}{result.Share:0.0%}{(result.Share <= result.Case.Goal ? "" : "**")} | ≤ {result.Case.Goal:0%} | {result.Ours.ProcessorSeconds - result.Plain.ProcessorSeconds:+0.00;-0.00} / {result.Sdk.ProcessorSeconds - result.Plain.ProcessorSeconds:+0.00;-0.00} | {Bytes(result.Ours.SentBytes)} | {Bytes(result.Sdk.SentBytes)} | {result.Ours.Requests} / {result.Sdk.Requests} | {Megabytes(result.Ours.PeakMemory - result.Plain.PeakMemory)} / {Megabytes(result.Sdk.PeakMemory - result.Plain.PeakMemory)} |"
        );

    private static string Bytes(double bytes) =>
        bytes switch
        {
            < 1_000 => $"{bytes:0} B",
            < 1_000_000 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e3:0.0} kB"),
            _ => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e6:0.0} MB"),
        };

    private static string Megabytes(double bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e6:+0;-0;0} MB");
}

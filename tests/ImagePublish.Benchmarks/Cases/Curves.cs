using System.Globalization;
using ImagePublish.Benchmarks.Drawing;

namespace ImagePublish.Benchmarks.Cases;

/// <summary>How the time for one changed line grows with what is there: by size, and by number of files.</summary>
internal static class Curves
{
    private const long Megabyte = 1_000_000;

    private static readonly PublishCase Changed = PublishCase.All.Single(one => one.Key == "line");

    private static readonly PublishCase First = PublishCase.All.Single(one => one.Key == "first");

    /// <summary>Measures and draws.</summary>
    /// <param name="laboratory">Where.</param>
    /// <param name="rounds">Runs of each point.</param>
    /// <param name="picture">The SVG file that is written.</param>
    /// <param name="cancellationToken">Cancels the measurement.</param>
    /// <returns>The numbers as a Markdown table.</returns>
    public static async Task<string> RunAsync(Laboratory laboratory, int rounds, string picture, CancellationToken cancellationToken)
    {
        (long Bytes, int Files)[] sizes = [(10 * Megabyte, 100), (100 * Megabyte, 100), (1000 * Megabyte, 100)];
        (long Bytes, int Files)[] counts = [(100 * Megabyte, 100), (100 * Megabyte, 1000), (100 * Megabyte, 20_000)];
        var points = new Dictionary<(long Bytes, int Files), Point>();
        foreach (var (bytes, files) in sizes.Concat(counts).Distinct())
        {
            var contenders = laboratory.Create($"sized-{bytes}-{files}", contender => SizedApp.Write(contender, bytes, files));
            var runner = new CaseRunner(laboratory, rounds);
            var changed = await runner.RunAsync(Changed, contenders, cancellationToken);
            var first = await runner.RunAsync(First, contenders, cancellationToken);
            points[(bytes, files)] = new Point(changed.OurOverhead, changed.SdkOverhead, first.OurOverhead, first.SdkOverhead);
            Directory.Delete(laboratory[$"sized-{bytes}-{files}"], recursive: true);
        }

        Chart[] charts =
        [
            Draw("MB in 100 files", sizes.Select(size => ((double)(size.Bytes / Megabyte), points[size]))),
            Draw("files of 100 MB", counts.Select(count => ((double)count.Files, points[count]))),
        ];
        await File.WriteAllTextAsync(picture, SvgPicture.Draw("Seconds over plain dotnet publish", charts), cancellationToken);
        return Table(points);
    }

    private static Chart Draw(string title, IEnumerable<(double X, Point Y)> points)
    {
        var all = points.ToList();
        return new Chart(
            title,
            [
                new("the SDK's, one line changed", "#9a3412", [.. all.Select(point => (point.X, point.Y.SdkChanged))]),
                new("ours, first push", "#60a5fa", [.. all.Select(point => (point.X, point.Y.OurFirst))]),
                new("ours, one line changed", "#1d4ed8", [.. all.Select(point => (point.X, point.Y.OurChanged))]),
            ]
        );
    }

    private static string Table(Dictionary<(long Bytes, int Files), Point> points) =>
        string.Join(
            '\n',
            [
                "| Content | files | ours, one line changed (s) | the SDK's (s) | ours, first push (s) | the SDK's (s) |",
                "|---:|---:|---:|---:|---:|---:|",
                .. points.Select(point =>
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"| {point.Key.Bytes / Megabyte} MB | {point.Key.Files:N0} | {point.Value.OurChanged:+0.00;-0.00} | {point.Value.SdkChanged:+0.00;-0.00} | {point.Value.OurFirst:+0.00;-0.00} | {point.Value.SdkFirst:+0.00;-0.00} |"
                    )
                ),
            ]
        );

    private sealed record Point(double OurChanged, double SdkChanged, double OurFirst, double SdkFirst);
}

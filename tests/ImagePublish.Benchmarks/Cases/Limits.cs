using System.Diagnostics;
using System.Globalization;
using ImagePublish.Benchmarks.Measuring;
using ImagePublish.Tasks.Tests.Fixtures;

namespace ImagePublish.Benchmarks.Cases;

/// <summary>What the machine can do at best, and how much memory a publish may take.</summary>
internal static class Limits
{
    private const long Large = 5_000_000_000;

    // What a layer needs, by the best tools there are, each reading what the one before writes: tar, its digest, gzip on all cores, its
    // digest, and the way to the registry.
    private const string Pipeline = """
        set -eo pipefail
        location=$(curl -sSf -X POST -o /dev/null -D - "$2/v2/limit/uploads$4/blobs/uploads/" | tr -d '\r' | sed -n 's/^[Ll]ocation: //p')
        tar --sort=name --owner=0 --group=0 --mtime=@0 -cf - -C "$1" . | tee >(sha256sum >"$3.diff") | pigz -6 | tee >(sha256sum >"$3.blob") \
          | curl -sSf -X PATCH -T - -H 'Content-Type: application/octet-stream' -o /dev/null -D - "$location" | tr -d '\r' | sed -n 's/^[Ll]ocation: //p' >"$3.location"
        while ! [ -s "$3.blob" ]; do sleep 0.01; done
        curl -sSf -X PUT "$(cat "$3.location")&digest=sha256:$(cut -d' ' -f1 <"$3.blob")"
        """;

    /// <summary>
    /// The publish folder of the sample through tar, sha256sum, pigz and curl to the registry: the seconds of the best run.
    /// </summary>
    public static async Task<string> RunPipelineAsync(Laboratory laboratory, int rounds, CancellationToken cancellationToken)
    {
        var first = await new CaseRunner(laboratory, rounds).RunAsync(PublishCase.All.Single(one => one.Key == "first"), cancellationToken);
        var folder = Path.Combine(laboratory.Contenders(false)[0].Sources, "Shop", "bin", "Release", "net10.0", "publish");
        var best = double.MaxValue;
        for (var round = 0; round < rounds; round++)
        {
            var clock = Stopwatch.StartNew();
            await new CommandLine(
                "bash",
                "-c",
                Pipeline,
                "bash",
                folder,
                laboratory.Registry.Uri.ToString().TrimEnd('/'),
                laboratory[$"limit{round}"],
                round.ToString(CultureInfo.InvariantCulture)
            ).SucceedAsync(cancellationToken);
            best = Math.Min(best, clock.Elapsed.TotalSeconds);
        }

        return string.Create(
            CultureInfo.InvariantCulture,
            $"First push: ours +{first.OurOverhead:0.00} s, tar | sha256sum | pigz -6 | sha256sum "
                + $"| curl {best:0.00} s at best: {first.OurOverhead / best:0.00} times the limit. The "
                + $"SDK's +{first.SdkOverhead:0.00} s: {first.SdkOverhead / best:0.00} times."
        );
    }

    /// <summary>A publish folder with one file of 5 GB that takes no room on the disk.</summary>
    public static async Task<string> RunMemoryAsync(Laboratory laboratory, CancellationToken cancellationToken)
    {
        var contenders = laboratory.Create("large", contender => SizedApp.Write(contender, 1_000_000, 10));
        var peaks = new List<long>();
        foreach (var contender in contenders.Take(2))
        {
            var target = new Target(laboratory.Registry.Host, "large/app", $"{laboratory.Registry.Host}/dotnet/aspnet:10.0");
            await contender.Publish(Sources.ShopProject, target).SucceedAsync(cancellationToken);
            await using (
                var file = File.Create(Path.Combine(contender.Sources, "Shop", "bin", "Release", "net10.0", "publish", "large.bin"))
            )
                file.SetLength(Large);
            var run = await MeteredCommand.RunAsync(contender.Publish(Sources.ShopProject, target), cancellationToken);
            Laboratory.Tell(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"5 GB       {contender.Name, -5} {run.Seconds:0.00} s {run.PeakMemory / 1e6:0} MB"
                )
            );
            peaks.Add(run.PeakMemory);
        }

        return string.Create(
            CultureInfo.InvariantCulture,
            $"A file of 5 GB: plain publish {peaks[0] / 1e6:0} MB at its peak, with "
                + $"an image {peaks[1] / 1e6:0} MB: {(peaks[1] - peaks[0]) / 1e6:+0;-0} MB (goal: at most +64 MB)."
        );
    }
}

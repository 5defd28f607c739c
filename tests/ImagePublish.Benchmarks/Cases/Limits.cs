using System.Diagnostics;
using System.Globalization;
using ImagePublish.Benchmarks.Measuring;
using ImagePublish.Tasks.Tests.Support;

namespace ImagePublish.Benchmarks.Cases;

/// <summary>What the machine can do at best, and how much memory a publish may take.</summary>
internal static class Limits
{
    private const long Large = 5_000_000_000;

    // What an image of one layer for each core needs, by the best tools there are: tar, its digest beside libdeflate, the digest of that,
    // and the way to the registry in one request.
    private const string Pipeline = """
        set -eo pipefail
        push() {
          tar --sort=name --owner=0 --group=0 --mtime=@0 -cf "$1.tar" -C "$folder" -T "$1.files"
          openssl dgst -sha256 "$1.tar" >"$1.diff" &
          libdeflate-gzip -3 -n -f "$1.tar"
          digest=$(openssl dgst -sha256 -r "$1.tar.gz" | cut -d' ' -f1)
          curl -sSf -X POST --data-binary "@$1.tar.gz" -H 'Content-Type: application/octet-stream' -o /dev/null -D "$1.answer" "$uploads?digest=sha256:$digest"
          if ! grep -q ' 201' "$1.answer"; then
            location=$(tr -d '\r' <"$1.answer" | sed -n 's/^[Ll]ocation: //p')
            curl -sSf -X PUT --data-binary "@$1.tar.gz" -H 'Content-Type: application/octet-stream' "$location&digest=sha256:$digest"
          fi
          wait
        }
        folder=$1 uploads=$2 files=$3
        (cd "$folder" && find . -type f -printf '%s %p\n' | sort -rn) | awk -v to="$files" -v cores="$(nproc)" '
          { least = 0; for (core = 1; core < cores; core++) if (size[core] < size[least]) least = core
            size[least] += $1; print $2 > (to least ".files") }'
        for list in "$files"*.files; do push "${list%.files}" & done
        for job in $(jobs -p); do wait "$job"; done
        """;

    /// <summary>
    /// The files that the image gets through tar, openssl, libdeflate and curl to the registry, on all cores: the seconds of the best run.
    /// </summary>
    public static async Task<string> RunPipelineAsync(Laboratory laboratory, int rounds, CancellationToken cancellationToken)
    {
        var first = await new CaseRunner(laboratory, rounds).RunAsync(PublishCase.All.Single(one => one.Key == "first"), cancellationToken);
        var folder = await Sources.FilesOfShopAsync(laboratory, cancellationToken);
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
                $"{laboratory.Registry.Uri}v2/limit/round{round}/blobs/uploads/",
                laboratory[$"limit{round}."]
            ).SucceedAsync(cancellationToken);
            best = Math.Min(best, clock.Elapsed.TotalSeconds);
        }

        return string.Create(
            CultureInfo.InvariantCulture,
            $"First push: ours +{first.OurOverhead:0.00} s, the SDK's +{first.SdkOverhead:0.00} s. tar, openssl, libdeflate -3, openssl and curl "
                + $"on all cores: {best:0.00} s at best, {best / first.SdkOverhead:0.0%} of the SDK's; ours is {first.OurOverhead / best:0.00} times that."
        );
    }

    /// <summary>A publish folder with one file of 5 GB that takes no room on the disk.</summary>
    public static async Task<string> RunMemoryAsync(Laboratory laboratory, CancellationToken cancellationToken)
    {
        var contenders = laboratory.Create("large", Sources.WriteSmallApp);
        var peaks = new List<long>();
        foreach (var contender in contenders.Take(2))
        {
            var target = new Target(laboratory.Registry.Host, "large/app", $"{laboratory.Registry.Host}/dotnet/aspnet:10.0");
            await contender.Publish(Sources.ShopProject, target).SucceedAsync(cancellationToken);
            await using (var file = File.Create(Path.Combine(Sources.PublishFolderOf(contender), "large.bin")))
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

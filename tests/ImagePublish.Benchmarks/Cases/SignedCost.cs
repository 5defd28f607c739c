using System.Globalization;
using System.Security.Cryptography;
using ImagePublish.Benchmarks.Measuring;

namespace ImagePublish.Benchmarks.Cases;

/// <summary>
/// What an SBOM, provenance and a signature by a key file cost: the same publish without and with all three, in each of two formats. They
/// run alternately.
/// </summary>
internal sealed class SignedCost
{
    private readonly Laboratory laboratory;
    private readonly Variant plain;
    private readonly IReadOnlyList<Variant> signed;

    private SignedCost(Laboratory laboratory)
    {
        this.laboratory = laboratory;
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        File.WriteAllText(laboratory["signing.key"], key.ExportPkcs8PrivateKeyPem());
        plain = Create("unsigned", []);
        signed = [Sign("Bundle"), Sign("Both")];
    }

    private IEnumerable<Variant> All => signed.Prepend(plain);

    /// <returns>The numbers as a Markdown table: medians, and of the difference of two publishes also the range.</returns>
    public static async Task<string> RunAsync(Laboratory laboratory, int rounds, CancellationToken cancellationToken)
    {
        var cost = new SignedCost(laboratory);
        // The second publish is the first that a machine makes with full caches.
        for (var round = 0; round < 2; round++)
        {
            foreach (var variant in cost.All)
                await variant.Contender.Publish(Sources.ShopProject, cost.TargetOf(variant)).SucceedAsync(cancellationToken);
        }

        var (changed, unchanged) = (new List<Dictionary<Variant, Run>>(), new List<Dictionary<Variant, Run>>());
        for (var round = 0; round < rounds; round++)
        {
            changed.Add(await cost.PublishAsync(round, round + 1, cancellationToken));
            unchanged.Add(await cost.PublishAsync(round, null, cancellationToken));
        }

        return string.Join(
            '\n',
            [
                "| Case | without (s) | with SBOM, provenance and signature (s) | more (ms) | requests | in sequence, if distant |",
                "|---|---:|---:|---:|---:|---:|",
                .. cost.signed.Select(variant => cost.Row($"one line of C# changed, {variant.Name}", variant, changed)),
                .. cost.signed.Select(variant => cost.Row($"nothing changed, {variant.Name}", variant, unchanged)),
            ]
        );
    }

    private Variant Sign(string format) =>
        Create(
            format,
            [
                "-p:ImageSbom=Spdx",
                "-p:ImageProvenance=true",
                $"-p:ImageSigningKey={laboratory["signing.key"]}",
                $"-p:ImageSignatureFormat={format}",
            ]
        );

    private Variant Create(string name, IReadOnlyList<string> switches)
    {
        var contender = laboratory.Create(name, Sources.WriteShop)[1];
        contender.Switches = switches;
        return new Variant(name, contender);
    }

    private Target TargetOf(Variant variant) =>
        new(laboratory.Registry.Host, $"cost/{variant.Name.ToLowerInvariant()}", $"{laboratory.Registry.Host}/dotnet/aspnet:10.0");

    private async Task<Dictionary<Variant, Run>> PublishAsync(int round, int? edition, CancellationToken cancellationToken)
    {
        var runs = new Dictionary<Variant, Run>();
        foreach (var variant in round % 2 == 0 ? All : All.Reverse())
        {
            var contender = variant.Contender;
            if (edition is { } number)
                await Sources.BuildEditedAsync(contender, number, cancellationToken);
            await laboratory.Registry.ResetAsync(cancellationToken);
            var start = DateTimeOffset.UtcNow;
            var run = await MeteredCommand.RunAsync(contender.Publish(Sources.ShopProject, TargetOf(variant)), cancellationToken);
            run = laboratory.CountRoundTrips(await laboratory.Registry.CountAsync(run, cancellationToken), start);
            runs[variant] = run;
            Laboratory.Tell(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{(edition is null ? "unchanged" : "line"), -10} {variant.Name, -10} {run.Seconds:0.00} s {run.Requests} requests"
                )
            );
            if (laboratory.IsVerbose)
                Laboratory.Tell(string.Join('\n', laboratory.Registry.Requests.Select(request => $"    {request}")));
        }

        return runs;
    }

    private string Row(string title, Variant variant, List<Dictionary<Variant, Run>> rounds)
    {
        var more = rounds.ConvertAll(runs => (runs[variant].Seconds - runs[plain].Seconds) * 1000);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"| {title} | {Seconds(plain):0.00} | {Seconds(variant):0.00} "
                + $"| {Runs.Median(more):+0;-0;0} ({more.Min():+0;-0;0} to {more.Max():+0;-0;0}) | {Requests(plain)} → {Requests(variant)} "
                + $"| {RoundTrips(plain)} → {RoundTrips(variant)} |"
        );

        double Seconds(Variant one) => Runs.Median(rounds.Select(runs => runs[one].Seconds));
        long Requests(Variant one) => rounds.Max(runs => runs[one].Requests);
        int? RoundTrips(Variant one) => rounds.Max(runs => runs[one].RoundTrips);
    }

    /// <summary>A way to publish: unsigned, or signed in one format.</summary>
    private sealed record Variant(string Name, Contender Contender);
}

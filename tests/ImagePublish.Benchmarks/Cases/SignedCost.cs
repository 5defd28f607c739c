using System.Globalization;
using System.Security.Cryptography;
using ImagePublish.Benchmarks.Measuring;

namespace ImagePublish.Benchmarks.Cases;

/// <summary>
/// What an SBOM, provenance and a signature by a key file cost: the same publish without and with all three. Both run alternately.
/// </summary>
internal sealed class SignedCost
{
    private readonly Laboratory laboratory;
    private readonly Contender plain;
    private readonly Contender signed;

    private SignedCost(Laboratory laboratory)
    {
        this.laboratory = laboratory;
        (plain, signed) = (Create("unsigned"), Create("signed"));
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        File.WriteAllText(laboratory["signing.key"], key.ExportPkcs8PrivateKeyPem());
        signed.Switches = ["-p:ImageSbom=Spdx", "-p:ImageProvenance=true", $"-p:ImageSigningKey={laboratory["signing.key"]}"];
    }

    /// <returns>The numbers as a Markdown table: medians, and of the difference of two publishes also the range.</returns>
    public static async Task<string> RunAsync(Laboratory laboratory, int rounds, CancellationToken cancellationToken)
    {
        var cost = new SignedCost(laboratory);
        // The second publish is the first that a machine makes with full caches.
        for (var round = 0; round < 2; round++)
        {
            foreach (var contender in new[] { cost.plain, cost.signed })
                await contender.Publish(Sources.ShopProject, cost.TargetOf(contender)).SucceedAsync(cancellationToken);
        }

        var (changed, unchanged) = (new List<Pair>(), new List<Pair>());
        for (var round = 0; round < rounds; round++)
        {
            changed.Add(await cost.PublishAsync(round, round + 1, cancellationToken));
            unchanged.Add(await cost.PublishAsync(round, null, cancellationToken));
        }

        return string.Join(
            '\n',
            "| Case | without (s) | with SBOM, provenance and signature (s) | more (ms) | requests |",
            "|---|---:|---:|---:|---:|",
            Row("one line of C# changed", changed),
            Row("nothing changed", unchanged)
        );
    }

    private Contender Create(string name) => laboratory.Create(name, Sources.WriteShop)[1];

    private Target TargetOf(Contender contender) =>
        new(
            laboratory.Registry.Host,
            $"cost/{(contender == signed ? "signed" : "unsigned")}",
            $"{laboratory.Registry.Host}/dotnet/aspnet:10.0"
        );

    private async Task<Pair> PublishAsync(int round, int? edition, CancellationToken cancellationToken)
    {
        var runs = new Dictionary<Contender, Run>();
        foreach (var contender in round % 2 == 0 ? new[] { plain, signed } : [signed, plain])
        {
            if (edition is { } number)
                await Sources.BuildEditedAsync(contender, number, cancellationToken);
            await laboratory.Registry.ResetAsync(cancellationToken);
            var run = await MeteredCommand.RunAsync(contender.Publish(Sources.ShopProject, TargetOf(contender)), cancellationToken);
            run = await laboratory.Registry.CountAsync(run, cancellationToken);
            runs[contender] = run;
            Laboratory.Tell(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{(edition is null ? "unchanged" : "line"), -10} {TargetOf(contender).Repository, -14} {run.Seconds:0.00} s {run.Requests} requests"
                )
            );
            if (laboratory.IsVerbose)
                Laboratory.Tell(string.Join('\n', laboratory.Registry.Requests.Select(request => $"    {request}")));
        }

        return new Pair(runs[plain], runs[signed]);
    }

    private static string Row(string title, List<Pair> pairs)
    {
        var more = pairs.ConvertAll(pair => (pair.Signed.Seconds - pair.Plain.Seconds) * 1000);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"| {title} | {Runs.Median(pairs.Select(pair => pair.Plain.Seconds)):0.00} | {Runs.Median(pairs.Select(pair => pair.Signed.Seconds)):0.00} | {Runs.Median(more):+0;-0;0} ({more.Min():+0;-0;0} to {more.Max():+0;-0;0}) | {pairs.Max(pair => pair.Plain.Requests)} → {pairs.Max(pair => pair.Signed.Requests)} |"
        );
    }

    private sealed record Pair(Run Plain, Run Signed);
}

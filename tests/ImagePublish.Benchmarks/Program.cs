using System.Globalization;
using System.Runtime.Versioning;
using ImagePublish.Benchmarks;
using ImagePublish.Benchmarks.Cases;
using ImagePublish.Benchmarks.Measuring;

[assembly: UnsupportedOSPlatform("windows")]

const string Usage = """
    usage: dotnet run -c Release --project tests/ImagePublish.Benchmarks -- [options]
      --cases NAMES   some of: unchanged,line,fresh,key,package,first,other,services,commit (these without this option), memory,limit,deflate,curves,fleet,machines,rebase,
                      signed, dockerfile (needs root)
      --registry KIND plain (http on localhost), h2 (nginx with TLS and HTTP/2 in front), or slow (h2 at 100 ms and 20 Mbit/s) (plain)
      --app NAME      shop (samples/Shop) or small (a web app without packages) (shop)
      --runs NUMBER   interleaved runs of each case (5)
      --picture FILE  where curves are drawn (curves.svg)
      --services LIST sizes of the fleet (10,50,200)
      --machines LIST fresh CI machines that publish the largest of these fleets, for the case machines (10,50)
      --verbose       lists the requests of every run
    """;

var options = new Dictionary<string, string>();
for (var index = 0; index < args.Length; index++)
{
    if (args[index] == "--verbose")
        options[args[index]] = "";
    else if (
        args[index] is "--cases" or "--app" or "--registry" or "--runs" or "--picture" or "--services" or "--machines"
        && index + 1 < args.Length
    )
        options[args[index]] = args[++index];
    else
        return Explain();
}

if (!int.TryParse(options.GetValueOrDefault("--runs", "5"), NumberStyles.None, CultureInfo.InvariantCulture, out var rounds) || rounds < 1)
    return Explain();
var names = options.GetValueOrDefault("--cases", "").Split(',', StringSplitOptions.RemoveEmptyEntries);
if (
    names
        .Except(PublishCase.All.Select(known => known.Key))
        .Except(["memory", "limit", "curves", "fleet", "machines", "rebase", "signed", "dockerfile", "deflate"])
        .Any()
)
    return Explain();
if (!Enum.TryParse<RegistryKind>(options.GetValueOrDefault("--registry", "plain"), ignoreCase: true, out var kind))
    return Explain();

Action<Contender>? writeApp = options.GetValueOrDefault("--app", "shop") switch
{
    "shop" => Sources.WriteShop,
    // It has no package to update.
    "small" when names.Length > 0 && !names.Contains("package") => Sources.WriteSmallApp,
    _ => null,
};
if (writeApp is null)
    return Explain();

using var stop = new CancellationTokenSource();
Console.CancelKeyPress += (_, key) =>
{
    key.Cancel = true;
    stop.Cancel();
};

// These need no laboratory: they start registries of their own.
int[] sizes = Numbers("--services", "10,50,200");
if (names.Contains("rebase"))
    Console.WriteLine(await RebaseFleet.RunAsync(sizes, options.GetValueOrDefault("--picture", "rebase.svg"), stop.Token));
if (names.Contains("fleet"))
    Console.WriteLine(await Fleet.RunAsync(sizes, options.GetValueOrDefault("--picture", "fleet.svg"), stop.Token));
if (names.Contains("machines"))
    Console.WriteLine(await Fleet.RunOnMachinesAsync(sizes.Max(), Numbers("--machines", "10,50"), stop.Token));
if (names.Length > 0 && names.All(name => name is "fleet" or "machines" or "rebase"))
    return 0;

await using var laboratory = await Laboratory.OpenAsync(kind, writeApp, options.ContainsKey("--verbose"), stop.Token);
var runner = new CaseRunner(laboratory, rounds);
var results = new List<CaseResult>();
foreach (var one in PublishCase.All.Where(one => names.Length == 0 || names.Contains(one.Key)))
    results.Add(await runner.RunAsync(one, stop.Token));
if (results.Count > 0)
    Console.WriteLine(ResultTable.Write(results));
if (names.Contains("memory"))
    Console.WriteLine(await Limits.RunMemoryAsync(laboratory, stop.Token));
if (names.Contains("limit"))
    Console.WriteLine(await Limits.RunPipelineAsync(laboratory, rounds, stop.Token));
if (names.Contains("deflate"))
    Console.WriteLine(await new DeflateSpeed(rounds).RunAsync(laboratory, stop.Token));
if (names.Contains("curves"))
    Console.WriteLine(await Curves.RunAsync(laboratory, rounds, options.GetValueOrDefault("--picture", "curves.svg"), stop.Token));
if (names.Contains("signed"))
    Console.WriteLine(await SignedCost.RunAsync(laboratory, rounds, stop.Token));
if (names.Contains("dockerfile"))
    Console.WriteLine(await DockerfileBuilds.RunAsync(laboratory, rounds, stop.Token));
return 0;

int[] Numbers(string option, string standard) =>
    [.. options.GetValueOrDefault(option, standard).Split(',').Select(number => int.Parse(number, CultureInfo.InvariantCulture))];

int Explain()
{
    Console.Error.WriteLine(Usage);
    return 2;
}

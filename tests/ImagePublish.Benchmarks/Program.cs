using System.Globalization;
using System.Runtime.Versioning;
using ImagePublish.Benchmarks;
using ImagePublish.Benchmarks.Cases;

[assembly: UnsupportedOSPlatform("windows")]

const string Usage =
    """
    usage: dotnet run -c Release --project tests/ImagePublish.Benchmarks -- [options]
      --cases NAMES   some of: unchanged,line,fresh,package,first,other,services (all of them without this)
      --runs NUMBER   interleaved runs of each case (5)
      --verbose       lists the requests of every run
    """;

var options = new Dictionary<string, string>();
for (var index = 0; index < args.Length; index++)
{
    if (args[index] == "--verbose")
        options[args[index]] = "";
    else if (args[index] is "--cases" or "--runs" && index + 1 < args.Length)
        options[args[index]] = args[++index];
    else
        return Explain();
}

if (!int.TryParse(options.GetValueOrDefault("--runs", "5"), NumberStyles.None, CultureInfo.InvariantCulture, out var rounds) || rounds < 1)
    return Explain();
var names = options.GetValueOrDefault("--cases", "").Split(',', StringSplitOptions.RemoveEmptyEntries);
if (names.FirstOrDefault(name => PublishCase.All.All(known => known.Key != name)) is not null)
    return Explain();

using var stop = new CancellationTokenSource();
Console.CancelKeyPress += (_, key) =>
{
    key.Cancel = true;
    stop.Cancel();
};
await using var laboratory = await Laboratory.OpenAsync(options.ContainsKey("--verbose"), stop.Token);
var runner = new CaseRunner(laboratory, rounds);
var results = new List<CaseResult>();
foreach (var one in PublishCase.All.Where(one => names.Length == 0 || names.Contains(one.Key)))
    results.Add(await runner.RunAsync(one, stop.Token));
Console.WriteLine(ResultTable.Write(results));
return 0;

int Explain()
{
    Console.Error.WriteLine(Usage);
    return 2;
}

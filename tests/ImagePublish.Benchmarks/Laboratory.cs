using System.Globalization;
using ImagePublish.Benchmarks.Cases;
using ImagePublish.Benchmarks.Measuring;
using ImagePublish.Tasks.Tests.Support;

namespace ImagePublish.Benchmarks;

/// <summary>
/// What all measurements share: registries with the base image, the packed package, and folders that are gone afterwards.
/// </summary>
internal sealed class Laboratory : IAsyncDisposable
{
    private readonly TemporaryFolder folder = new();
    private readonly PackedPackage package;
    private IReadOnlyList<Contender>? app;
    private IReadOnlyList<Contender>? services;

    private Laboratory(PackedPackage package, MeteredRegistry registry, MeteredRegistry otherRegistry) =>
        (this.package, Registry, OtherRegistry) = (package, registry, otherRegistry);

    /// <summary>The registry that is pushed to; it has the base image too.</summary>
    public MeteredRegistry Registry { get; }

    /// <summary>Another registry, which has no base image.</summary>
    public MeteredRegistry OtherRegistry { get; }

    public bool IsVerbose { get; init; }

    /// <summary>Writes the app that is published.</summary>
    public required Action<Contender> WriteApp { get; init; }

    /// <summary>A path for files of a measurement.</summary>
    public string this[string name] => folder[name];

    public static async Task<Laboratory> OpenAsync(
        RegistryKind kind,
        Action<Contender> writeApp,
        bool isVerbose,
        CancellationToken cancellationToken
    )
    {
        var image = await BaseImage.GetAsync(cancellationToken);
        var package = await PackedPackage.PackAsync(cancellationToken);
        var registry = await MeteredRegistry.StartAsync(kind, cancellationToken);
        var otherRegistry = await MeteredRegistry.StartAsync(kind, cancellationToken);
        var laboratory = new Laboratory(package, registry, otherRegistry) { IsVerbose = isVerbose, WriteApp = writeApp };
        await laboratory.Registry.PushAsync(image, cancellationToken);
        return laboratory;
    }

    /// <summary>Plain publish, this package, the SDK's.</summary>
    public IReadOnlyList<Contender> Contenders(bool isSolution) =>
        isSolution ? services ??= Create("services", Sources.WriteServices) : app ??= Create("shop", WriteApp);

    /// <summary>Adds to a run how often it waited for a distant registry.</summary>
    public Run CountRoundTrips(Run run, DateTimeOffset start)
    {
        if (Registry.RoundTrip is not { } roundTrip)
            return run;
        var since = start.ToUnixTimeMilliseconds() / 1e3;
        var exchanges = Registry.Exchanges.Concat(OtherRegistry.Exchanges).Where(exchange => exchange.Start >= since);
        var chain = RoundTrips.LongestChain(exchanges, roundTrip);
        if (IsVerbose)
        {
            foreach (var one in chain)
                Tell(
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"    {one.Start - since, 6:0.00} s {one.End - since, 6:0.00} s {one.Method} {one.Path} {one.Status}"
                    )
                );
        }

        return run with
        {
            RoundTrips = chain.Count,
        };
    }

    /// <summary>Tells how things go, beside the result.</summary>
    public static void Tell(string line) => Console.Error.WriteLine(line);

    public async ValueTask DisposeAsync()
    {
        await Registry.DisposeAsync();
        await OtherRegistry.DisposeAsync();
        await package.DisposeAsync();
        folder.Dispose();
    }

    /// <summary>Contenders with sources of their own.</summary>
    /// <param name="name">The folder of all of them.</param>
    /// <param name="writeSources">Writes the sources of one.</param>
    /// <returns>Plain publish, this package, the SDK's.</returns>
    public IReadOnlyList<Contender> Create(string name, Action<Contender> writeSources)
    {
        Contender[] all = [new PlainPublish(folder[name]), new ThisPackage(folder[name], package), new SdkContainers(folder[name])];
        string?[] authorities = [Registry.AuthorityFolder, OtherRegistry.AuthorityFolder];
        foreach (var contender in all)
        {
            contender.Authorities = [.. authorities.OfType<string>()];
            writeSources(contender);
        }

        return all;
    }
}

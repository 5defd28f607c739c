using System.Diagnostics;
using System.Globalization;
using ImagePublish.Bases;
using ImagePublish.Benchmarks.Drawing;
using ImagePublish.Benchmarks.Measuring;
using ImagePublish.Diagnostics;
using ImagePublish.Images;
using ImagePublish.Layers;
using ImagePublish.Oci;
using ImagePublish.Publishing;
using ImagePublish.Registries;
using ImagePublish.Registries.Auth.Credentials;
using ImagePublish.Registries.Connection;
using ImagePublish.Requests;
using ImagePublish.Storage;
using ImagePublish.Testing;

namespace ImagePublish.Benchmarks.Cases;

/// <summary>
/// Publishes many generated services (<see cref="FleetFiles"/>): what each kind of commit costs, for one machine that has published
/// before, and for CI machines that know nothing and share the services among them.
/// </summary>
internal sealed class Fleet : IAsyncDisposable
{
    /// <summary>Of one machine's services.</summary>
    private const int Parallel = 4;

    private const string FirstPush = "first push of all";
    private const string UnrelatedCommit = "unrelated commit";
    private const string NamingHead = "unrelated commit, ImageRevision=Head";
    private const string ServiceChanged = "one service changed";
    private const string LibraryChanged = "a shared library changed";
    private const string PackageUpdated = "a package updated";
    private const string BasePatched = "base patched";
    private const string OneLayerFirst = "first push, one layer for each app";
    private const string OneLayer = "any commit, one layer for each app";

    /// <summary>A thousand commits to a repository, as the storage after them is computed.</summary>
    private static readonly (string Title, int Count)[] Commits =
    [
        (ServiceChanged, 600),
        (UnrelatedCommit, 250),
        (LibraryChanged, 100),
        (PackageUpdated, 40),
        (BasePatched, 10),
    ];

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("imagepublish-fleet-");
    private readonly TestRegistry registry;
    private readonly TestRegistry bases;
    private readonly FleetFiles files;
    private readonly int services;
    private readonly Dictionary<int, Digest> digests = [];
    private int stores;

    private Fleet(int services, TestRegistry registry, TestRegistry bases)
    {
        (this.services, this.registry, this.bases) = (services, registry, bases);
        files = new FleetFiles(folder.FullName, services);
    }

    private enum Way
    {
        Ours,

        /// <summary>As a Dockerfile's COPY and the .NET SDK do: one layer for each app, in a store that knows no earlier one.</summary>
        OneLayer,
    }

    /// <summary>One machine, for each size.</summary>
    public static async Task<string> RunAsync(IReadOnlyList<int> sizes, string picture, CancellationToken cancellationToken)
    {
        var (rows, storage) = (new List<FleetRow>(), new List<string>());
        foreach (var size in sizes)
        {
            await using var fleet = await StartAsync(size, cancellationToken);
            var ours = await fleet.RunOnOneMachineAsync(cancellationToken);
            await using var rival = await StartAsync(size, cancellationToken);
            var others = await rival.RunOneLayerAsync(cancellationToken);
            rows.AddRange([.. ours, .. others]);
            storage.Add(AfterThousandCommits(size, [.. ours, .. others]));
        }

        if (sizes.Count > 1)
            await File.WriteAllTextAsync(picture, Draw(rows), cancellationToken);
        return string.Join('\n', [FleetRow.Table(rows), "", .. storage]);
    }

    /// <summary>Fresh CI machines, each with its share of the services, over a line with latency and a limited speed.</summary>
    public static async Task<string> RunOnMachinesAsync(int services, IReadOnlyList<int> machines, CancellationToken cancellationToken)
    {
        var rows = new List<FleetRow>();
        foreach (var count in machines)
        {
            await using var fleet = await StartAsync(services, cancellationToken);
            foreach (var line in new[] { fleet.registry.Line, fleet.bases.Line })
                (line.Latency, line.BytesPerSecond) = (TimeSpan.FromMilliseconds(20), 12_500_000);
            rows.AddRange(await fleet.RunOnFreshMachinesAsync(count, cancellationToken));
        }

        return FleetRow.Table(rows);
    }

    public async ValueTask DisposeAsync()
    {
        await registry.DisposeAsync();
        await bases.DisposeAsync();
        folder.Delete(recursive: true);
    }

    private static async Task<Fleet> StartAsync(int services, CancellationToken cancellationToken)
    {
        // Its blobs are in files, so that the memory of this process is the publishes'.
        var registry = await TestRegistry.StartAsync(options => options.KeepInMemoryUpTo = 1024, cancellationToken);
        var bases = await TestRegistry.StartAsync(cancellationToken: cancellationToken);
        var fleet = new Fleet(services, registry, bases);
        fleet.SeedBase("first");
        fleet.files.WriteAll();
        return fleet;
    }

    private async Task<IReadOnlyList<FleetRow>> RunOnOneMachineAsync(CancellationToken cancellationToken)
    {
        Machine[] machine = [NewMachine(files.All)];
        var rows = new List<FleetRow>
        {
            await MeasureAsync(FirstPush, Way.Ours, machine, cancellationToken),
            await MeasureAsync(UnrelatedCommit, Way.Ours, machine, cancellationToken),
            await MeasureAsync($"{UnrelatedCommit}, fresh machine", Way.Ours, [NewMachine(files.All)], cancellationToken),
        };
        foreach (var (title, commit) in Changes)
        {
            commit();
            rows.Add(await MeasureAsync(title, Way.Ours, machine, cancellationToken));
        }

        files.NameAnotherHead();
        rows.Add(await MeasureAsync(NamingHead, Way.Ours, machine, cancellationToken));
        return rows;
    }

    private async Task<IReadOnlyList<FleetRow>> RunOneLayerAsync(CancellationToken cancellationToken)
    {
        var first = await MeasureAsync(OneLayerFirst, Way.OneLayer, [NewMachine(files.All)], cancellationToken);
        files.NameAnotherHead();
        return [first, await MeasureAsync(OneLayer, Way.OneLayer, [NewMachine(files.All)], cancellationToken)];
    }

    private async Task<IReadOnlyList<FleetRow>> RunOnFreshMachinesAsync(int count, CancellationToken cancellationToken)
    {
        var rows = new List<FleetRow> { await MeasureAsync(FirstPush, Way.Ours, FreshMachines(count), cancellationToken) };
        rows.Add(await MeasureAsync(UnrelatedCommit, Way.Ours, FreshMachines(count), cancellationToken));
        foreach (var (title, commit) in Changes)
        {
            commit();
            rows.Add(await MeasureAsync(title, Way.Ours, FreshMachines(count), cancellationToken));
        }

        files.NameAnotherHead();
        rows.Add(await MeasureAsync(OneLayer, Way.OneLayer, FreshMachines(count), cancellationToken));
        return rows;
    }

    private (string Title, Action Commit)[] Changes =>
        [
            (ServiceChanged, () => files.ChangeService(0)),
            (LibraryChanged, () => files.ChangeLibrary(0)),
            (PackageUpdated, () => files.UpdatePackage(0)),
            (BasePatched, () => SeedBase("patched")),
        ];

    private Machine NewMachine(IEnumerable<int> share) => new(Path.Combine(folder.FullName, $"store-{stores++}"), [.. share]);

    private Machine[] FreshMachines(int count) => [.. files.All.GroupBy(service => service % count).Select(share => NewMachine(share))];

    private async Task<FleetRow> MeasureAsync(string title, Way way, IReadOnlyList<Machine> machines, CancellationToken cancellationToken)
    {
        registry.Requests.Clear();
        bases.Requests.Clear();
        PeakMemory.Reset();
        var (clock, stored) = (Stopwatch.StartNew(), registry.Content.StoredBytes);
        var changed = await Task.WhenAll(machines.Select(machine => Task.Run(() => BuildAsync(machine, way, cancellationToken))));
        var seconds = clock.Elapsed.TotalSeconds;
        foreach (var machine in machines.Where(_ => machines.Count > 1 || way == Way.OneLayer))
            Directory.Delete(machine.Store, recursive: true);
        Laboratory.Tell($"{services} services, {machines.Count} machines, {title}: {seconds:0.0} s");
        return new FleetRow(services, machines.Count, title)
        {
            Digests = changed.Sum(),
            Requests = registry.Requests.Count + bases.Requests.Count,
            Untouched = registry.Requests.GroupBy(request => request.Repository).Select(one => one.Count()).DefaultIfEmpty().Min(),
            SentBytes = registry.Requests.UploadedBytes,
            StoredBytes = registry.Content.StoredBytes - stored,
            Seconds = seconds,
            PeakMemory = PeakMemory.Of(Environment.ProcessId),
        };
    }

    // Each build has connections of its own; what the machine remembers is in its store.
    private async Task<int> BuildAsync(Machine machine, Way way, CancellationToken cancellationToken)
    {
        var (changed, answers) = (0, new ReferenceAnswers());
        using var client = new RegistryClient(new RegistryClientOptions(), new NoCredentials(), new SilentLog(), TimeProvider.System);
        var store = ImageStore.Open(machine.Store, new StoreOptions());
        var options = new ParallelOptions { MaxDegreeOfParallelism = Parallel, CancellationToken = cancellationToken };
        await System.Threading.Tasks.Parallel.ForEachAsync(machine.Services, options, async (service, cancelled) =>
        {
            var shared = new SharedReferences(answers, BaseReference.ToHashSet());
            var context = new PublishContext(client, store, new SilentLog(), shared);
            var result = await new ImagePublisher(context).PublishAsync(Request(service, way), cancelled);
            lock (digests)
            {
                if (digests.GetValueOrDefault(service) != result.Image.Digest)
                    Interlocked.Increment(ref changed);
                digests[service] = result.Image.Digest;
            }
        });
        return changed;
    }

    private Reference[] BaseReference => [NamedIn(bases, "mcr/dotnet/aspnet").ReferenceTo(Tag.Parse("10.0"))];

    private PublishRequest Request(int service, Way way) =>
        new()
        {
            Spec = new ImageSpec
            {
                Platform = new Platform("linux", "amd64"),
                Created = DateTimeOffset.UnixEpoch,
                WorkingDirectory = "/app",
                Entrypoint = ["dotnet", "/app/App.dll"],
            },
            Base = new RegistryImage(BaseReference[0]),
            PublishFolder = files.FolderOf(service),
            Items = FleetFiles.ItemsOf(service),
            EntryDefaults = new LayerEntryDefaults { TargetFolder = "app" },
            Layering = way == Way.OneLayer ? LayeringMode.Single : LayeringMode.Auto,
            CacheFrom = way == Way.OneLayer ? null : [],
            Compression = new LayerCompression(Compression.Gzip, null),
            Destinations = [NamedIn(registry, $"fleet/service-{service}")],
            LocalName = $"fleet/service-{service}",
            Tags = [Tag.Parse("1.0.0"), Tag.Parse("latest")],
        };

    private static Repository NamedIn(TestRegistry server, string name) => Repository.Create(Registry.Parse(server.Host), name);

    private void SeedBase(string release) =>
        bases.SeedImage("mcr/dotnet/aspnet", "10.0", [Seeding.LayerOf(("etc/release", release))], Seeding.ConfigOf("amd64"));

    private static string AfterThousandCommits(int services, IReadOnlyList<FleetRow> rows)
    {
        var ours = Stored(FirstPush) + Commits.Sum(commit => commit.Count * Stored(commit.Title));
        var head = Stored(FirstPush) + (Commits.Sum(commit => commit.Count) * Stored(NamingHead));
        var others = Stored(OneLayerFirst) + (Commits.Sum(commit => commit.Count) * Stored(OneLayer));
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{services:N0} services, 1,000 commits: {ours / 1e9:N2} GB; {head / 1e9:N2} GB with ImageRevision=Head; {others / 1e9:N1} GB with one layer for each app"
        );

        double Stored(string title) => rows.First(row => row.Title == title).StoredBytes;
    }

    private static string Draw(List<FleetRow> rows)
    {
        Chart[] charts = [new("services", [Line(OneLayer, "#9a3412"), Line(FirstPush, "#60a5fa"), Line(UnrelatedCommit, "#1d4ed8")])];
        return SvgPicture.Draw("Seconds to publish, without compiling", charts);

        Line Line(string title, string colour) =>
            new(title, colour, [.. rows.Where(row => row.Title == title).Select(row => ((double)row.Services, row.Seconds))]);
    }

    /// <summary>One that publishes some of the services.</summary>
    private sealed record Machine(string Store, IReadOnlyList<int> Services);

    internal sealed class NoCredentials : ICredentialSource
    {
        public ValueTask<Credential?> FindAsync(Registry registry, string? repository, CancellationToken ct) =>
            ValueTask.FromResult<Credential?>(null);
    }

    internal sealed class SilentLog : IPublishLog
    {
        public void Warning(DiagnosticCode code, string message) => Console.Error.WriteLine($"{code}: {message}");

        public void Information(string message) => Console.Error.WriteLine(message);

        public void Detail(string message) { }
    }
}

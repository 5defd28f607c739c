using System.Diagnostics;
using System.Globalization;
using ImagePublish.Bases;
using ImagePublish.Benchmarks.Drawing;
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
/// Publishes many generated services over shared libraries and packages, as one build of one process does: what each kind of commit costs.
/// Files are generated and nothing is compiled, so that it is publishing alone that is measured.
/// </summary>
internal sealed class Fleet : IAsyncDisposable
{
    private const int Libraries = 20;
    private const int Packages = 60;
    private const int LibrariesOfService = 8;
    private const int PackagesOfService = 20;

    /// <summary>Services of a company are made alike: so many different sets of packages there are.</summary>
    private const int Stacks = 6;

    private const int Parallel = 4;

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("imagepublish-fleet-");
    private readonly TestRegistry registry;
    private readonly TestRegistry bases;
    private readonly int services;
    private readonly Dictionary<int, Digest> digests = [];

    private Fleet(int services, TestRegistry registry, TestRegistry bases) =>
        (this.services, this.registry, this.bases) = (services, registry, bases);

    public static async Task<string> RunAsync(IReadOnlyList<int> sizes, string picture, CancellationToken cancellationToken)
    {
        var rows = new List<FleetRow>();
        foreach (var size in sizes)
        {
            await using var fleet = await StartAsync(size, cancellationToken);
            rows.AddRange(await fleet.RunCasesAsync(cancellationToken));
        }

        if (sizes.Count > 1)
            await File.WriteAllTextAsync(picture, Draw(rows), cancellationToken);
        return Table(rows);
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
        for (var service = 0; service < services; service++)
        {
            fleet.WriteApp(service, version: 1);
            foreach (var library in LibrariesOf(service))
                fleet.WriteLibrary(service, library, version: 1);
            foreach (var package in PackagesOf(service))
                fleet.WritePackage(service, package, version: 1);
        }

        return fleet;
    }

    private async Task<IReadOnlyList<FleetRow>> RunCasesAsync(CancellationToken cancellationToken)
    {
        var rows = new List<FleetRow> { await MeasureAsync("first push of all", "machine", cancellationToken) };
        rows.Add(await MeasureAsync("unrelated commit", "machine", cancellationToken));
        rows.Add(await MeasureAsync("unrelated commit, fresh machine", "fresh", cancellationToken));
        WriteApp(0, version: 2);
        rows.Add(await MeasureAsync("one service changed", "machine", cancellationToken));
        foreach (var service in All.Where(service => LibrariesOf(service).Contains(0)))
            WriteLibrary(service, 0, version: 2);
        rows.Add(await MeasureAsync("a shared library changed", "machine", cancellationToken));
        foreach (var service in All.Where(service => PackagesOf(service).Contains(0)))
            WritePackage(service, 0, version: 2);
        rows.Add(await MeasureAsync("a package updated", "machine", cancellationToken));
        SeedBase("patched");
        rows.Add(await MeasureAsync("base patched", "machine", cancellationToken));
        return rows;
    }

    private IEnumerable<int> All => Enumerable.Range(0, services);

    // Each build has connections of its own; what the machine remembers is in its store.
    private async Task<FleetRow> MeasureAsync(string title, string machine, CancellationToken cancellationToken)
    {
        registry.Requests.Clear();
        bases.Requests.Clear();
        var (clock, changed, answers) = (Stopwatch.StartNew(), 0, new ReferenceAnswers());
        using var client = new RegistryClient(new RegistryClientOptions(), new NoCredentials(), new SilentLog(), TimeProvider.System);
        var store = ImageStore.Open(Path.Combine(folder.FullName, $"store-{machine}"), new StoreOptions());
        var options = new ParallelOptions { MaxDegreeOfParallelism = Parallel, CancellationToken = cancellationToken };
        await System.Threading.Tasks.Parallel.ForEachAsync(All, options, async (service, cancelled) =>
        {
            var request = Request(service);
            var shared = new SharedReferences(answers, BaseReference.ToHashSet());
            var context = new PublishContext(client, store, new SilentLog(), shared);
            var result = await new ImagePublisher(context).PublishAsync(request, cancelled);
            lock (digests)
            {
                if (digests.GetValueOrDefault(service) != result.Image.Digest)
                    changed++;
                digests[service] = result.Image.Digest;
            }
        });
        return new FleetRow(services, title)
        {
            Digests = changed,
            Requests = registry.Requests.Count + bases.Requests.Count,
            Untouched = registry.Requests.GroupBy(request => request.Repository).Select(one => one.Count()).DefaultIfEmpty().Min(),
            Bytes = registry.Requests.UploadedBytes,
            Seconds = clock.Elapsed.TotalSeconds,
            Memory = Environment.WorkingSet,
        };
    }

    private Reference[] BaseReference => [NamedIn(bases, "mcr/dotnet/aspnet").ReferenceTo(Tag.Parse("10.0"))];

    private PublishRequest Request(int service) =>
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
            PublishFolder = FolderOf(service),
            Items =
            [
                .. PackagesOf(service).Select(package => new PublishItem($"Package{package}.dll", PublishItemOrigin.Package)),
                .. LibrariesOf(service).Select(library => new PublishItem($"Library{library}.dll", PublishItemOrigin.Project)),
            ],
            EntryDefaults = new LayerEntryDefaults { TargetFolder = "app" },
            Compression = new LayerCompression(Compression.Gzip, null),
            Destinations = [NamedIn(registry, $"fleet/service-{service}")],
            LocalName = $"fleet/service-{service}",
            Tags = [Tag.Parse("1.0.0"), Tag.Parse("latest")],
        };

    private static Repository NamedIn(TestRegistry server, string name) => Repository.Create(Registry.Parse(server.Host), name);

    private void SeedBase(string release) =>
        bases.SeedImage("mcr/dotnet/aspnet", "10.0", [Seeding.LayerOf(("etc/release", release))], Seeding.ConfigOf("amd64"));

    private static IEnumerable<int> LibrariesOf(int service) =>
        Enumerable.Range(0, LibrariesOfService).Select(at => (service + (at * 7)) % Libraries).Distinct();

    private static IEnumerable<int> PackagesOf(int service) =>
        Enumerable.Range(0, PackagesOfService).Select(at => ((service % Stacks * 10) + at) % Packages);

    private void WriteApp(int service, int version) => Write(service, "App.dll", 60_000, seed: 100_000 + service + (version * 10_000_000));

    private void WriteLibrary(int service, int library, int version) =>
        Write(service, $"Library{library}.dll", 40_000, seed: 1_000 + library + (version * 10_000_000));

    private void WritePackage(int service, int package, int version) =>
        Write(service, $"Package{package}.dll", 20_000 + (package * 5_000), seed: package + (version * 10_000_000));

    private string FolderOf(int service) => Path.Combine(folder.FullName, $"publish-{service}");

    // Half of an assembly is about as dense as noise.
    private void Write(int service, string name, int length, int seed)
    {
        var content = new byte[length];
        new Random(seed).NextBytes(content.AsSpan(0, length / 2));
        Directory.CreateDirectory(FolderOf(service));
        File.WriteAllBytes(Path.Combine(FolderOf(service), name), content);
    }

    private static string Table(IEnumerable<FleetRow> rows) =>
        string.Join(
            '\n',
            [
                "| Services | Build | new digests | requests | of these for each untouched service | bytes sent | seconds | memory |",
                "|---:|---|---:|---:|---:|---:|---:|---:|",
                .. rows.Select(row => row.ToString()),
            ]
        );

    private static string Draw(List<FleetRow> rows)
    {
        Chart[] charts =
        [
            new(
                "services",
                [Line("first push of all", "#9a3412"), Line("a shared library changed", "#60a5fa"), Line("unrelated commit", "#1d4ed8")]
            ),
        ];
        return SvgPicture.Draw("Seconds to publish, without compiling", charts);

        Line Line(string title, string colour) =>
            new(title, colour, [.. rows.Where(row => row.Title == title).Select(row => ((double)row.Services, row.Seconds))]);
    }

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

/// <summary>One build of a fleet.</summary>
internal sealed record FleetRow(int Services, string Title)
{
    public int Digests { get; init; }

    public int Requests { get; init; }

    /// <summary>The requests for the service that cost fewest.</summary>
    public int Untouched { get; init; }

    public long Bytes { get; init; }

    public double Seconds { get; init; }

    public long Memory { get; init; }

    public override string ToString()
    {
        var untouched = Digests < Services ? Untouched.ToString(CultureInfo.InvariantCulture) : "";
        return string.Create(
            CultureInfo.InvariantCulture,
            $"| {Services} | {Title} | {Digests} | {Requests:N0} | {untouched} | {Bytes / 1e6:N2} MB | {Seconds:0.0} | {Memory / 1e6:0} MB |"
        );
    }
}

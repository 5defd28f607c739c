using System.Diagnostics;
using System.Globalization;
using ImagePublish.Bases;
using ImagePublish.Benchmarks.Drawing;
using ImagePublish.Benchmarks.Measuring;
using ImagePublish.Commands;
using ImagePublish.Images;
using ImagePublish.Layers;
using ImagePublish.Oci;
using ImagePublish.Publishing;
using ImagePublish.Rebasing;
using ImagePublish.Registries;
using ImagePublish.Registries.Connection;
using ImagePublish.Requests;
using ImagePublish.Storage;
using ImagePublish.Testing;

namespace ImagePublish.Benchmarks.Cases;

/// <summary>
/// What it takes to find that many images are behind their base, and to put them on the new one: against a real registry, with the base
/// of the tests, in another repository of the same registry.
/// </summary>
internal sealed class RebaseFleet : IAsyncDisposable
{
    private const string BaseName = "rebase-fleet/aspnet";

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("imagepublish-rebase-");
    private readonly MeteredRegistry registry;
    private readonly int services;
    private readonly HashSet<string> baseLayers = [];
    private readonly HashSet<string> appLayers = [];

    private RebaseFleet(int services, MeteredRegistry registry) => (this.services, this.registry) = (services, registry);

    public static async Task<string> RunAsync(IReadOnlyList<int> sizes, string picture, CancellationToken cancellationToken)
    {
        var rows = new List<RebaseRow>();
        foreach (var size in sizes)
        {
            await using var fleet = new RebaseFleet(size, await MeteredRegistry.StartAsync(RegistryKind.Plain, cancellationToken));
            await fleet.registry.PushAsync(await ImagePublish.Tasks.Tests.Support.BaseImage.GetAsync(cancellationToken), cancellationToken);
            rows.AddRange(await fleet.RunCasesAsync(cancellationToken));
        }

        if (sizes.Count > 1)
            await File.WriteAllTextAsync(picture, Draw(rows), cancellationToken);
        return string.Join('\n', [RebaseRow.Head, .. rows]);
    }

    public async ValueTask DisposeAsync()
    {
        await registry.DisposeAsync();
        folder.Delete(recursive: true);
    }

    private async Task<IReadOnlyList<RebaseRow>> RunCasesAsync(CancellationToken cancellationToken)
    {
        await UseAsync("publisher", context => SeedBaseAsync(context, cancellationToken));
        await UseAsync("publisher", context => PublishAsync(context, cancellationToken));
        var rows = new List<RebaseRow> { await CheckAsync("check, first on a machine", "nightly", cancellationToken) };
        rows.Add(await CheckAsync("check, again", "nightly", cancellationToken));
        await UseAsync("publisher", context => PatchBaseAsync(context, "first", cancellationToken));
        rows.Add(await CheckAsync("check, base patched", "nightly", cancellationToken));
        rows.Add(await RebaseAsync("rebase, dry run", "nightly", dryRun: true, cancellationToken));
        rows.Add(await RebaseAsync("rebase, the bases are known", "nightly", dryRun: false, cancellationToken));
        await UseAsync("publisher", context => PatchBaseAsync(context, "second", cancellationToken));
        rows.Add(await RebaseAsync("rebase, fresh machine", "fresh", dryRun: false, cancellationToken));
        return rows;
    }

    private IReadOnlyList<Reference> Images =>
        [.. Enumerable.Range(0, services).Select(service => Named($"rebase-fleet/service-{service}").ReferenceTo(Tag.Parse("1.0")))];

    private async Task<RebaseRow> CheckAsync(string title, string machine, CancellationToken cancellationToken)
    {
        var behind = 0;
        var row = await MeasureAsync(title, machine, async context =>
        {
            var found = await new DriftChecker(context, image => image).CheckAsync(Images, cancellationToken);
            behind = found.Count(drift => drift.State == DriftState.Behind);
            if (found.Any(drift => drift.State == DriftState.Unknown))
                throw new InvalidOperationException(found.First(drift => drift.Failure is not null).Failure!.Message);
        });
        return row with { Changed = behind };
    }

    private async Task<RebaseRow> RebaseAsync(string title, string machine, bool dryRun, CancellationToken cancellationToken)
    {
        var changed = 0;
        var row = await MeasureAsync(title, machine, async context =>
        {
            var requests = Images.Select(image => new RebaseRequest(image) { DryRun = dryRun });
            var outcomes = await new ImageRebaser(context).RebaseAsync([.. requests], cancellationToken);
            if (outcomes.FirstOrDefault(outcome => outcome.Refused is not null) is { } refused)
                throw new InvalidOperationException(refused.Refused!.Message);
            changed = outcomes.Count(outcome => !outcome.Result!.IsUnchanged);
        });
        return row with { Changed = changed };
    }

    private async Task<RebaseRow> MeasureAsync(string title, string machine, Func<PublishContext, Task> work)
    {
        await registry.ResetAsync(CancellationToken.None);
        var clock = Stopwatch.StartNew();
        await UseAsync(machine, work);
        var seconds = clock.Elapsed.TotalSeconds;
        var run = await registry.CountAsync(new Run(seconds, 0), CancellationToken.None);
        var layers = registry
            .Requests.Where(request =>
                request.StartsWith("GET ", StringComparison.Ordinal) && request.Contains("/blobs/", StringComparison.Ordinal)
            )
            .Select(request => request.Split(' ')[1].Split('/')[^1])
            .ToList();
        return new RebaseRow(services, title)
        {
            Requests = run.Requests,
            Bytes = run.SentBytes,
            BaseLayers = layers.Count(baseLayers.Contains),
            AppLayers = layers.Count(appLayers.Contains),
            Seconds = seconds,
        };
    }

    private async Task UseAsync(string machine, Func<PublishContext, Task> work)
    {
        using var client = new RegistryClient(
            new RegistryClientOptions(),
            new Fleet.NoCredentials(),
            new Fleet.SilentLog(),
            TimeProvider.System
        );
        var store = ImageStore.Open(Path.Combine(folder.FullName, $"store-{machine}"), new StoreOptions());
        await work(new PublishContext(client, store, new Fleet.SilentLog()));
    }

    private Repository Named(string name) => Repository.Create(Registry.Parse(registry.Host), name);

    private async Task SeedBaseAsync(PublishContext context, CancellationToken cancellationToken)
    {
        var source = new RegistryImage(Named("dotnet/aspnet").ReferenceTo(Tag.Parse("10.0")));
        await new ImageCopier(context.Registries, context.Store).CopyAsync(
            new CopyRequest(source, [Named(BaseName)], "aspnet", [Tag.Parse("10.0")]),
            cancellationToken
        );
    }

    private async Task PublishAsync(PublishContext context, CancellationToken cancellationToken)
    {
        for (var service = 0; service < services; service++)
        {
            var publish = Path.Combine(folder.FullName, $"publish-{service}");
            Directory.CreateDirectory(publish);
            var content = new byte[60_000];
            new Random(service).NextBytes(content);
            await File.WriteAllBytesAsync(Path.Combine(publish, "App.dll"), content, cancellationToken);
            var result = await new ImagePublisher(context).PublishAsync(Request(service, publish), cancellationToken);
            var own = result.Image.Layers.Where((_, at) => result.LayerNames[at] != PublishResult.BaseLayer);
            appLayers.UnionWith(own.Select(layer => layer.Descriptor.Digest.Value));
            baseLayers.UnionWith(result.Image.Layers.Except(own).Select(layer => layer.Descriptor.Digest.Value));
        }
    }

    private PublishRequest Request(int service, string publish) =>
        new()
        {
            Spec = new ImageSpec
            {
                Platform = new Platform("linux", "amd64"),
                Created = DateTimeOffset.UnixEpoch,
                WorkingDirectory = "/app",
                Entrypoint = ["dotnet", "/app/App.dll"],
            },
            Project = new ProjectInfo { Title = $"Service {service}" },
            Base = new RegistryImage(Named(BaseName).ReferenceTo(Tag.Parse("10.0"))),
            PublishFolder = publish,
            Items = [],
            EntryDefaults = new LayerEntryDefaults { TargetFolder = "app" },
            Compression = new LayerCompression(Compression.Gzip, null),
            Destinations = [Named($"rebase-fleet/service-{service}")],
            LocalName = $"rebase-fleet/service-{service}",
            Tags = [Tag.Parse("1.0")],
        };

    // One more layer on each platform: what the other layers are does not matter to what is moved.
    private async Task PatchBaseAsync(PublishContext context, string patch, CancellationToken cancellationToken)
    {
        var repository = Named(BaseName);
        var resolver = new BaseResolver(context.Registries, context.Documents, context.Store);
        var entries = new List<Descriptor>();
        var blob = Seeding.LayerOf(("etc/patched", patch));
        var layer = MemoryBlobSource.Create(ImagePublish.Oci.MediaTypes.Layer(ImageFormat.Oci, Compression.Gzip), blob);
        var diffId = Digest.Compute(Seeding.TarOf(("etc/patched", patch)));
        baseLayers.Add(layer.Descriptor.Digest.Value);
        foreach (var architecture in new[] { "amd64", "arm64" })
        {
            var platform = new Platform("linux", architecture);
            var old = await resolver.ResolveAsync(
                new RegistryImage(repository.ReferenceTo(Tag.Parse("10.0"))),
                platform,
                cancellationToken
            );
            var spec = new ImageSpec
            {
                Platform = platform,
                Created = DateTimeOffset.UnixEpoch,
                Format = ImageFormat.Oci,
            };
            var image = ImageComposer.Compose(spec, old, [new NamedLayer("patch", new Layer(layer.Descriptor, diffId, layer))]);
            foreach (var one in new[] { layer, image.ConfigBlob })
                await context.Registries.PushBlobAsync(repository, one, cancellationToken);
            await context.Registries.PushManifestAsync(repository.ReferenceTo(image.Digest), image.Manifest, cancellationToken);
            entries.Add(image.IndexEntry);
        }

        var index = IndexComposer.Compose(entries, [], []);
        await context.Registries.PushManifestAsync(repository.ReferenceTo(Tag.Parse("10.0")), index, cancellationToken);
    }

    private static string Draw(List<RebaseRow> rows)
    {
        Chart[] charts =
        [
            new(
                "images",
                [Line("rebase, fresh machine", "#9a3412"), Line("check, first on a machine", "#60a5fa"), Line("check, again", "#1d4ed8")]
            ),
        ];
        return SvgPicture.Draw("Seconds to check and rebase", charts);

        Line Line(string title, string colour) =>
            new(title, colour, [.. rows.Where(row => row.Title == title).Select(row => ((double)row.Services, row.Seconds))]);
    }
}

/// <summary>One command over a fleet.</summary>
internal sealed record RebaseRow(int Services, string Title)
{
    public static string Head =>
        "| Images | Command | behind, or rebased | requests | bytes sent | layers of bases read | layers of apps read | seconds |\n"
        + "|---:|---|---:|---:|---:|---:|---:|---:|";

    public int Changed { get; init; }

    public int Requests { get; init; }

    public long Bytes { get; init; }

    public int BaseLayers { get; init; }

    public int AppLayers { get; init; }

    public double Seconds { get; init; }

    public override string ToString() =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"| {Services} | {Title} | {Changed} | {Requests:N0} | {Bytes / 1e6:N2} MB | {BaseLayers} | {AppLayers} | {Seconds:0.0} |"
        );
}

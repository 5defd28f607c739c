using System.Globalization;
using System.Text;
using ImagePublish.Diagnostics;
using ImagePublish.Layers;
using ImagePublish.Layers.Deflate;
using ImagePublish.Oci;
using ImagePublish.Packages.Model;
using ImagePublish.Registries;
using ImagePublish.Registries.Auth.Credentials;
using ImagePublish.Registries.Connection;
using ImagePublish.Storage;

// pull <registry> <folder of certificates> | repair <store folder> | prune <store folder>: does it once, and writes how it failed.
if (args is ["pull" or "repair" or "prune", ..])
{
    await DoOnceAsync();
    return;
}

// read <file>: reads it as a layer, with all that is made of one, under the memory limit that its environment sets.
if (args is ["read", var layerFile])
{
    Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"limit {GC.GetGCMemoryInfo().TotalAvailableMemoryBytes >> 20}"));
    try
    {
        await using var blob = File.OpenRead(layerFile);
        var files = new BaseFileSystem([await LayerListing.ReadAsync(blob, new LayerReaderOptions(), CancellationToken.None)]);
        Console.WriteLine($"read {files.All().Count()} {PackageBase.Installed(files).Count()}");
    }
    catch (ImagePublishException exception)
    {
        Console.WriteLine($"{exception.Code.Id} {exception.Message}");
    }

    return;
}

// deflate <file>: compresses it as one piece without anything before it, and writes the digest of what comes out.
if (args is ["deflate", var plain])
{
    var bytes = await File.ReadAllBytesAsync(plain);
    var memory = new byte[Deflater.WindowSize + bytes.Length];
    bytes.CopyTo(memory, Deflater.WindowSize);
    var compressed = new byte[Deflater.MaxSize(bytes.Length)];
    var length = new Deflater().Compress(memory, history: 0, compressed);
    Console.WriteLine(Digest.Compute(compressed.AsSpan(0, length)));
    return;
}

// fill <store folder> <key file>: creates all that a store can have, holds its locks, and writes the rights of everything.
if (args is ["fill", var filled, var keyFile])
{
    var open = ImageStore.Open(filled, new StoreOptions { Key = () => StoreKey.TryLoad(keyFile, out _)! });
    using var session = await open.BeginSessionAsync(CancellationToken.None);
    var blob = await open.PutAsync(
        MemoryBlobSource.Create(MediaTypes.OciConfig, OciJson.Write(new ImageConfig("amd64", "linux", new RootFs("layers", [])))),
        CancellationToken.None
    );
    var image = MemoryBlobSource.Create(
        MediaTypes.OciManifest,
        OciJson.Write(new ImageManifest(blob.Descriptor, []) { MediaType = MediaTypes.OciManifest })
    );
    await open.PutAsync(image, CancellationToken.None);
    await open.SetReferenceAsync("acme/shop:1", image.Descriptor, CancellationToken.None);
    await open.PruneAsync(new PruneOptions(), CancellationToken.None);
    await open.Records.WriteAsync("layers", blob.Descriptor.Digest, "{}"u8.ToArray(), CancellationToken.None);
    using var claims = new NameClaims(Path.Combine(filled, "claims"), "build");
    await claims.ClaimAsync("acme/shop:1", "shop.csproj", CancellationToken.None);
    using var layer = await WorkLock.AcquireAsync(open.Disk, "layer", "builds", CancellationToken.None);
    using var whole = await open.Disk.LockAsync(CancellationToken.None);
    foreach (var path in Directory.EnumerateFileSystemEntries(filled, "*", SearchOption.AllDirectories).Append(filled).Append(keyFile))
        Console.WriteLine($"{(OperatingSystem.IsWindows() ? 0 : (int)File.GetUnixFileMode(path))} {path}");
    return;
}

// <store folder> count <work> <file> <rounds>: adds to the number in a file, each time under the lock.
// <store folder> hold <work>: keeps the lock until it is killed.
if (args is [var storeFolder, "count" or "hold", var work, ..])
{
    var disk = ImageStore.Open(storeFolder, new StoreOptions()).Disk;
    if (args[1] == "count")
    {
        for (var round = 0; round < int.Parse(args[4], CultureInfo.InvariantCulture); round++)
        {
            using var held = await WorkLock.AcquireAsync(disk, work, "counts", CancellationToken.None);
            var number = int.Parse(await File.ReadAllTextAsync(args[3]), CultureInfo.InvariantCulture);
            await File.WriteAllTextAsync(args[3], (number + 1).ToString(CultureInfo.InvariantCulture));
        }

        return;
    }

    using var kept = await WorkLock.AcquireAsync(disk, work, "holds", CancellationToken.None);
    Console.WriteLine("held");
    await Task.Delay(Timeout.Infinite);
}

// <store folder> <seed> <seconds>: publishes, tags, removes and prunes at random.
var random = new Random(int.Parse(args[1], CultureInfo.InvariantCulture));
var store = ImageStore.Open(args[0], new StoreOptions { GracePeriod = TimeSpan.Zero });
var until = TimeProvider.System.GetUtcNow().AddSeconds(double.Parse(args[2], CultureInfo.InvariantCulture));
while (TimeProvider.System.GetUtcNow() < until)
{
    switch (random.Next(10))
    {
        case < 6:
            await PublishAsync();
            break;
        case 6:
            await store.RemoveReferenceAsync(Name(), CancellationToken.None);
            break;
        case 7:
            await TagAsync();
            break;
        default:
            await store.PruneAsync(
                new PruneOptions
                {
                    Unreferenced = random.Next(2) == 0,
                    MaxSize = 200_000,
                    MaxAge = TimeSpan.FromSeconds(2),
                },
                CancellationToken.None
            );
            break;
    }
}

async Task DoOnceAsync()
{
    try
    {
        await (
            args switch
            {
                ["pull", var registry, var certificates] => PullAsync(registry, certificates),
                ["repair", var folder] => ImageStore.Open(folder, new StoreOptions()).RepairAsync(dryRun: true, CancellationToken.None),
                _ => ImageStore.Open(args[1], new StoreOptions()).PruneAsync(new PruneOptions { DryRun = true }, CancellationToken.None),
            }
        );
    }
    catch (Exception exception)
    {
        Console.WriteLine($"{(exception as ImagePublishException)?.Code.Id ?? exception.GetType().Name} {exception.Message}");
    }
}

static async Task PullAsync(string registry, string certificates)
{
    using var client = new RegistryClient(
        new RegistryClientOptions { DockerCertificateFolders = [certificates] },
        new Nobody(),
        new Silence(),
        TimeProvider.System
    );
    await client.FindManifestAsync(Reference.Parse($"{registry}/acme/shop:1"), CancellationToken.None);
}

string Name() => $"acme/shop:{random.Next(20)}";

async Task TagAsync()
{
    using var session = await store.BeginSessionAsync(CancellationToken.None);
    if (await store.FindReferenceAsync(Name(), CancellationToken.None) is not { } manifest)
        return;

    try
    {
        await store.SetReferenceAsync(Name(), manifest, CancellationToken.None);
    }
    catch (ImagePublishException exception) when (exception.Code.Id == "IMG3104")
    {
        // Pruned by another process between finding and tagging: told, and nothing is listed that is not whole.
    }
}

async Task PublishAsync()
{
    using var session = await store.BeginSessionAsync(CancellationToken.None);
    var layers = new List<Descriptor>();
    foreach (var number in Enumerable.Range(0, 3))
    {
        var text = new string((char)('a' + number), 1000 + random.Next(30) * 1000);
        layers.Add(
            (
                await store.PutAsync(MemoryBlobSource.Create(MediaTypes.OciLayer, Encoding.UTF8.GetBytes(text)), CancellationToken.None)
            ).Descriptor
        );
    }

    var config = MemoryBlobSource.Create(
        MediaTypes.OciConfig,
        OciJson.Write(new ImageConfig("amd64", "linux", new RootFs("layers", [.. layers.Select(layer => layer.Digest)])))
    );
    await store.PutAsync(config, CancellationToken.None);
    var manifest = MemoryBlobSource.Create(
        MediaTypes.OciManifest,
        OciJson.Write(new ImageManifest(config.Descriptor, layers) { MediaType = MediaTypes.OciManifest })
    );
    await store.PutAsync(manifest, CancellationToken.None);
    await store.SetReferenceAsync(Name(), manifest.Descriptor, CancellationToken.None);
}

internal sealed class Nobody : ICredentialSource
{
    public ValueTask<Credential?> FindAsync(Registry registry, string? repository, CancellationToken ct) =>
        ValueTask.FromResult<Credential?>(null);
}

internal sealed class Silence : IPublishLog
{
    public void Warning(DiagnosticCode code, string message) { }

    public void Information(string message) { }

    public void Detail(string message) { }
}

using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Packages;
using ImagePublish.Packages.Model;
using ImagePublish.Publishing;

namespace ImagePublish.Tests.Support;

/// <summary>An apt repository in a folder, for the real apt of this machine, and a package cache of its own.</summary>
internal sealed class LocalRepository : IDisposable, IPublishLog
{
    private readonly string folder = Directory.CreateTempSubdirectory("image-repository-").FullName;
    private readonly StringBuilder index = new();

    /// <summary>A network that has no files.</summary>
    public static PackageNetwork Network => new((_, _, _, _, _) => Task.FromResult(false), PackageStep.LookUpAsync);

    /// <summary>For sources that the user or this machine names.</summary>
    public static SourceGuard Unguarded => new(new PackageSources([]), [], PackageStep.LookUpAsync);

    public ConcurrentQueue<string> Warnings { get; } = [];

    public ConcurrentQueue<string> Details { get; } = [];

    public string Folder => folder;

    /// <summary>Who signs the index; null leaves it unsigned.</summary>
    public ArchiveKey? Key { get; init; } = ArchiveKey.Shared;

    /// <summary>The options of the source; null names the key.</summary>
    public string? Options { get; init; }

    /// <summary>Where the folder is served; null reads it from the disk.</summary>
    public string? Address { get; set; }

    /// <summary>Whether the index is another than the one that was signed.</summary>
    public bool Spoiled { get; set; }

    /// <summary>Adds a package; <paramref name="content"/> may differ from what the index promises.</summary>
    public LocalRepository Add(DebBuilder package, byte[]? content = null)
    {
        var promised = package.Build();
        File.WriteAllBytes(Path.Combine(folder, package.FileName), content ?? promised);
        index.Append(
            CultureInfo.InvariantCulture,
            $"{package.Control}Filename: ./{package.FileName}\nSize: {promised.Length}\nSHA256: {Convert.ToHexStringLower(SHA256.HashData(promised))}\n\n"
        );
        return this;
    }

    public LocalRepository AddRoot() =>
        Add(new DebBuilder("base-files").Folder("./").Folder("./etc/").File("./usr/lib/os-release", "ID=test\n").Folder("./lib/"));

    /// <summary>Takes a package out, as a mirror does with all but the newest.</summary>
    public LocalRepository Remove(DebBuilder package)
    {
        File.Delete(Path.Combine(folder, package.FileName));
        var paragraphs = index
            .ToString()
            .Split("\n\n", StringSplitOptions.RemoveEmptyEntries)
            .Where(paragraph => !paragraph.Contains(package.FileName, StringComparison.Ordinal));
        index.Clear().Append(string.Concat(paragraphs.Select(paragraph => paragraph + "\n\n")));
        return this;
    }

    public Task<PackageLayer> MakeAsync(params string[] names) => MakeOnAsync(null, names);

    public async Task<PackageLayer> MakeOnAsync(PackageBase? below, params string[] names)
    {
        var request = Request(names);
        var maker = new OsPackages(Network, this);
        var platform = new Platform("linux", "amd64");
        var packages = await maker.ChooseAsync(request, platform, below, mustRefresh: false, TestContext.Current.CancellationToken);
        return new PackageLayer(
            packages,
            await maker.LayOutAsync(packages, request, platform, below, TestContext.Current.CancellationToken)
        );
    }

    /// <summary>Asks for packages of this repository as it is now.</summary>
    public PackageRequest Request(params string[] names)
    {
        var packages = Path.Combine(folder, "Packages");
        var isChanged = !File.Exists(packages) || File.ReadAllText(packages) != index.ToString();
        File.WriteAllText(packages, index + (Spoiled ? "\n" : ""));
        if (Key is not null && isChanged)
            Sign(Key);
        var options = Options ?? (Key is null ? "" : $"[signed-by={Key.PublicKey}]");
        return new PackageRequest
        {
            Names = names,
            CacheFolder = Path.Combine(folder, "cache"),
            Source = $"deb {options} {Address ?? $"file:{folder}"} ./",
            Time = TimeProvider.System,
        };
    }

    /// <summary>Signs the index as it is now.</summary>
    public void Sign(ArchiveKey key)
    {
        var signed = File.ReadAllBytes(Path.Combine(folder, "Packages"));
        var release = Path.Combine(folder, "Release");
        File.WriteAllText(
            release,
            string.Create(
                CultureInfo.InvariantCulture,
                $"Origin: Tests\nSuite: "
                    + $"tests\nDate: {DateTime.UtcNow.AddHours(-1):R}\nSHA256:\n {Convert.ToHexStringLower(SHA256.HashData(signed))} {signed.Length} Packages\n"
            )
        );
        key.Sign(release, Path.Combine(folder, "InRelease"));
        File.Delete(release);
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    public void Warning(DiagnosticCode code, string message) => Warnings.Enqueue($"{code.Id} {message}");

    public void Information(string message) { }

    public void Detail(string message) => Details.Enqueue(message);
}

internal sealed record PackageLayer(IReadOnlyList<OsPackage> Packages, ImagePublish.Layers.LayerInput Layer);

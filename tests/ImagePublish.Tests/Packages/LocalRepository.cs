using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Packages;

namespace ImagePublish.Tests.Packages;

/// <summary>An apt repository in a folder, for the real apt of this machine, and a package cache of its own.</summary>
internal sealed class LocalRepository : IDisposable, IEngineLog
{
    private readonly string folder = Directory.CreateTempSubdirectory("image-repository-").FullName;
    private readonly StringBuilder index = new();

    public List<string> Warnings { get; } = [];

    public string Folder => folder;

    public string Options { get; init; } = "[trusted=yes]";

    /// <summary>Where the folder is served; null reads it from the disk.</summary>
    public string? Address { get; set; }

    /// <summary>Whether the index is another than the one that was signed.</summary>
    public bool Spoiled { get; set; }

    /// <summary>Adds a package; <paramref name="content"/> may differ from what the index promises.</summary>
    public LocalRepository Add(DebBuilder package, byte[]? content = null)
    {
        var promised = package.Build();
        File.WriteAllBytes(Path.Combine(folder, package.FileName), content ?? promised);
        index.Append(CultureInfo.InvariantCulture, $"{package.Control}Filename: ./{package.FileName}\nSize: {promised.Length}\nSHA256: {Convert.ToHexStringLower(SHA256.HashData(promised))}\n\n");
        return this;
    }

    public LocalRepository AddRoot() => Add(new DebBuilder("base-files").Folder("./").Folder("./etc/").File("./usr/lib/os-release", "ID=test\n").Folder("./lib/"));

    /// <summary>Takes a package out, as a mirror does with all but the newest.</summary>
    public LocalRepository Remove(DebBuilder package)
    {
        File.Delete(Path.Combine(folder, package.FileName));
        var paragraphs = index.ToString().Split("\n\n", StringSplitOptions.RemoveEmptyEntries).Where(paragraph => !paragraph.Contains(package.FileName, StringComparison.Ordinal));
        index.Clear().Append(string.Concat(paragraphs.Select(paragraph => paragraph + "\n\n")));
        return this;
    }

    public Task<PackageLayer> MakeAsync(params string[] names) => MakeOnAsync(null, names);

    public async Task<PackageLayer> MakeOnAsync(PackageBase? below, params string[] names)
    {
        var request = Request(names);
        var maker = new OsPackages((_, _, _, _) => Task.FromResult(false), this);
        var platform = new Platform("linux", "amd64");
        var packages = await maker.ChooseAsync(request, platform, below, mustRefresh: false, TestContext.Current.CancellationToken);
        return new PackageLayer(packages, await maker.LayOutAsync(packages, request, platform, below, TestContext.Current.CancellationToken));
    }

    /// <summary>Asks for packages of this repository as it is now.</summary>
    public PackageRequest Request(params string[] names)
    {
        File.WriteAllText(Path.Combine(folder, "Packages"), index + (Spoiled ? "\n" : ""));
        return new PackageRequest { Names = names, CacheFolder = Path.Combine(folder, "cache"), Source = $"deb {Options} {Address ?? $"file:{folder}"} ./", Time = TimeProvider.System };
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    public void Warning(DiagnosticCode code, string message) => Warnings.Add($"{code.Id} {message}");

    public void Information(string message)
    {
    }

    public void Detail(string message)
    {
    }
}

internal sealed record PackageLayer(IReadOnlyList<OsPackage> Packages, ImagePublish.Layers.LayerContent Layer);

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

    /// <summary>Adds a package; <paramref name="content"/> may differ from what the index promises.</summary>
    public LocalRepository Add(DebBuilder package, byte[]? content = null)
    {
        var promised = package.Build();
        File.WriteAllBytes(Path.Combine(folder, package.FileName), content ?? promised);
        index.Append(CultureInfo.InvariantCulture, $"{package.Control}Filename: ./{package.FileName}\nSize: {promised.Length}\nSHA256: {Convert.ToHexStringLower(SHA256.HashData(promised))}\n\n");
        return this;
    }

    public LocalRepository AddRoot() => Add(new DebBuilder("base-files").Folder("./").Folder("./etc/").File("./usr/lib/os-release", "ID=test\n").Folder("./lib/"));

    public Task<PackageLayer> MakeAsync(params string[] names) => MakeOnAsync(null, names);

    public async Task<PackageLayer> MakeOnAsync(PackageBase? below, params string[] names)
    {
        await File.WriteAllTextAsync(Path.Combine(folder, "Packages"), index.ToString(), TestContext.Current.CancellationToken);
        var request = new PackageRequest { Names = names, CacheFolder = Path.Combine(folder, "cache"), Source = $"deb {Options} file:{folder} ./", Time = TimeProvider.System };
        return await new OsPackages(this).MakeAsync(request, new Platform("linux", "amd64"), below, TestContext.Current.CancellationToken);
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

using System.Security.Cryptography;
using System.Text;
using ImagePublish.Diagnostics;
using ImagePublish.Layers;
using ImagePublish.Oci;

namespace ImagePublish.Packages.Apt;

/// <summary>The private folder in which apt works for one set of sources and one architecture.</summary>
internal sealed class AptWorkspace
{
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(10);

    private readonly TimeProvider time;
    private readonly string architecture;
    private readonly string? source;
    private readonly string status;
    private readonly IReadOnlyDictionary<string, string> baseFiles;

    /// <summary>Finds the folder.</summary>
    /// <param name="request">What is asked for.</param>
    /// <param name="architecture">The Debian architecture.</param>
    /// <param name="packageBase">What lies below; null for nothing.</param>
    public AptWorkspace(PackageRequest request, string architecture, PackageBase? packageBase)
    {
        time = request.Time;
        this.architecture = architecture;
        source = request.Source;
        status = packageBase?.ReadStatus() ?? "";
        baseFiles = source is null && packageBase is not null ? packageBase.ReadSources() : new Dictionary<string, string>();
        if (source is null && packageBase is not null && baseFiles.Count == 0 && !packageBase.IsOfRelease(MachineRelease()))
            throw new ImagePublishException(
                DiagnosticCodes.PackageBaseUnsupported, $"'{Text.Shown(packageBase.Name)}' has no package sources, and this machine is of another release. Say where packages come from: ImagePackageSource.");
        var key = new StringBuilder($"{architecture}\n{source}\n{(source is not null && File.Exists(source) ? PackageSources.ReadFile(source) : "")}\n");
        foreach (var (path, text) in baseFiles)
            key.Append(path).Append('\n').Append(text).Append('\n');
        Folder = Path.Combine(request.CacheFolder, "apt", Hash(key.ToString()));
    }

    /// <summary>The folder.</summary>
    public string Folder { get; }

    /// <summary>The file that says what is installed; its name tells its content.</summary>
    public string StatusFile => Path.Combine(Folder, $"status-{Hash(status)}");

    /// <summary>Whether the machine's own sources and preferences are read.</summary>
    public bool UsesMachine => baseFiles.Count == 0;

    /// <summary>Waits until no other process uses the folder.</summary>
    /// <exception cref="ImagePublishException"><c>IMG3110</c>: another process uses it for too long.</exception>
    public Task<FileLock> LockAsync(IEngineLog log, CancellationToken cancellationToken)
    {
        var request = new FileLockRequest(Path.Combine(Folder, "lock"), "chooses operating system packages too", LongestWait) { Time = time, Log = log };
        return FileLock.RequireAsync(request, DiagnosticCodes.Locked, cancellationToken);
    }

    /// <summary>Writes what apt reads. The folder is locked.</summary>
    /// <returns>apt, as it works there.</returns>
    public AptTool Prepare()
    {
        var configuration = new AptConfiguration(Folder, architecture, SourceFile(), StatusFile) { Root = baseFiles.Count > 0 ? Folder : null };
        configuration.CreateFolders();
        File.WriteAllText(StatusFile, status);
        if (source is not null && configuration.SourceFile != source)
            File.WriteAllText(configuration.SourceFile!, source.ReplaceLineEndings("\n") + "\n");
        foreach (var (path, text) in baseFiles)
        {
            var file = Path.Combine(Folder, path);
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            // apt takes a byte order mark for a part of the first word.
            File.WriteAllBytes(file, KeptFiles.EncodingOf(path)!.GetBytes(path.StartsWith("etc/apt/sources", StringComparison.Ordinal) ? WithOwnKeys(text) : text));
        }

        var settings = Path.Combine(Folder, "apt.conf");
        File.WriteAllText(settings, configuration.ToString());
        return new AptTool(settings);
    }

    // The base's keyrings, not those of the same name on this machine; one that it names but does not have is this machine's.
    private string WithOwnKeys(string sources)
    {
        foreach (var key in baseFiles.Keys.Where(path => !path.StartsWith("etc/apt/sources", StringComparison.Ordinal)).OrderByDescending(path => path.Length))
            sources = sources.Replace(" /" + key, $" {Folder}/{key}", StringComparison.Ordinal).Replace("=/" + key, $"={Folder}/{key}", StringComparison.Ordinal);
        return sources;
    }

    private string? SourceFile()
    {
        if (baseFiles.Count > 0)
            return Path.Combine(Folder, "etc", "apt", "sources.list");
        if (source is null || File.Exists(source))
            return source;
        return Path.Combine(Folder, source.StartsWith("deb", StringComparison.Ordinal) ? "image.list" : "image.sources");
    }

    private static string MachineRelease() => File.Exists("/etc/os-release") ? File.ReadAllText("/etc/os-release") : "";

    private static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..16];
}

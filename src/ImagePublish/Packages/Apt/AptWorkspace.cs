using System.Security.Cryptography;
using System.Text;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Layers;
using ImagePublish.Packages.Model;

namespace ImagePublish.Packages.Apt;

/// <summary>The private folder in which apt works for one set of sources and one architecture.</summary>
internal sealed class AptWorkspace
{
    private const string SourcesPrefix = "etc/apt/sources";
    private const string MethodFolder = "/usr/lib/apt/methods";

    private static readonly string[] UsedMethods = ["http", "https", "gpgv", "sqv", "store", "rred"];
    private static readonly string[] OtherMethods =
    [
        "cdrom",
        "copy",
        "file",
        "ftp",
        "mirror",
        "mirror+copy",
        "mirror+file",
        "mirror+ftp",
        "mirror+http",
        "mirror+https",
        "rsh",
        "ssh",
        "tor",
        "tor+http",
        "tor+https",
    ];

    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(10);

    private readonly TimeProvider time;
    private readonly string architecture;
    private readonly string? source;
    private readonly string status;
    private readonly IReadOnlyDictionary<string, string> baseFiles;
    private readonly IReadOnlyList<AptSource> baseSources;

    public AptWorkspace(PackageRequest request, string architecture, PackageBase? packageBase)
    {
        time = request.Time;
        this.architecture = architecture;
        source = request.Source;
        status = packageBase?.ReadStatus() ?? "";
        baseFiles = source is null && packageBase is not null ? packageBase.ReadSources() : new Dictionary<string, string>();
        baseSources = packageBase is null ? [] : PackageSources.ReadTyped(packageBase.Name, baseFiles);
        if (source is null && packageBase is not null && baseSources.Count == 0 && !packageBase.IsOfRelease(MachineRelease()))
            throw new ImagePublishException(
                DiagnosticCodes.PackageBaseUnsupported,
                $"'{Text.Sanitize(packageBase.Name)}' has no package sources, and this machine is of another release. Say "
                    + "where packages come from: ImagePackageSource."
            );
        var key = new StringBuilder(
            $"{architecture}\n{source}\n{(source is not null && File.Exists(source) ? PackageSources.ReadFile(source) : "")}\n"
        );
        foreach (var (path, text) in baseFiles)
            key.Append(path).Append('\n').Append(text).Append('\n');
        Folder = Path.Combine(request.CacheFolder, "apt", Hash(key.ToString()));
    }

    public string Folder { get; }

    /// <summary>The list of what is installed; its name depends on its content.</summary>
    public string StatusFile => Path.Combine(Folder, $"status-{Hash(status)}");

    /// <summary>Whether the machine's own settings of apt, such as its preferences, are read: its sources, or those that the user
    /// names.</summary>
    public bool UsesMachine => baseSources.Count == 0;

    /// <summary>Waits until no other process uses the folder.</summary>
    /// <exception cref="ImagePublishException"><c>IMG3110</c>: another process uses it for too long.</exception>
    public Task<FileLock> LockAsync(IPublishLog log, CancellationToken cancellationToken)
    {
        var request = new FileLockRequest(Path.Combine(Folder, "lock"), "chooses operating system packages too", LongestWait)
        {
            Time = time,
            Log = log,
        };
        return FileLock.RequireAsync(request, DiagnosticCodes.Locked, cancellationToken);
    }

    public AptTool Prepare(IPublishLog log)
    {
        var configuration = UsesMachine ? WriteTrusted(log) : WriteOfBase(log);
        configuration.CreateFolders();
        File.WriteAllText(StatusFile, status);
        var settings = Path.Combine(Folder, "apt.conf");
        File.WriteAllText(settings, configuration.ToString());
        return new AptTool(settings, UsesMachine ? null : [.. baseSources.SelectMany(one => one.Addresses)]);
    }

    private AptConfiguration WriteOfBase(IPublishLog log)
    {
        string Keyring(string path) => baseFiles.ContainsKey(path) ? $"{Folder}/{path}" : $"/{path}";
        var file = Write(Folder, "base.sources", string.Concat(baseSources.Select(one => one.Write(Keyring))));
        foreach (var (path, key) in baseFiles.Where(one => !one.Key.StartsWith(SourcesPrefix, StringComparison.Ordinal)))
        {
            var keyring = Path.Combine(Folder, path);
            Directory.CreateDirectory(Path.GetDirectoryName(keyring)!);
            File.WriteAllBytes(keyring, KeptFiles.EncodingOf(path)!.GetBytes(key));
        }

        foreach (var one in baseSources.Where(one => one.Ignored.Count > 0))
            log.Detail(
                $"Options of the base image's package source {Text.Sanitize(one.Addresses[0])} are ignored: "
                    + $"{Text.Sanitize(string.Join(", ", one.Ignored))}."
            );
        return new AptConfiguration(Folder, architecture, file, StatusFile) { Root = Folder, UnusedMethods = UnusedMethods() };
    }

    // apt reads the user's or the machine's sources where they are, unless they turn off the check of signatures.
    private AptConfiguration WriteTrusted(IPublishLog log)
    {
        var configuration = new AptConfiguration(
            Folder,
            architecture,
            source is not null && File.Exists(source) ? source : null,
            StatusFile
        );
        if (source is not null)
        {
            var text = File.Exists(source) ? PackageSources.ReadFile(source) : source;
            var kept = Checked(text);
            if (configuration.SourceFile is not null && kept == text)
                return configuration;
            var isLines = configuration.SourceFile is { } file
                ? Path.GetExtension(file) != ".sources"
                : text.StartsWith("deb", StringComparison.Ordinal);
            return configuration with { SourceFile = Write(Folder, isLines ? "image.list" : "image.sources", kept) };
        }

        var own = PackageSources.MachineFiles().Select(one => (Name: Path.GetFileName(one), Text: PackageSources.ReadFile(one))).ToList();
        if (own.TrueForAll(one => SignatureOptions.Remove(one.Text) == one.Text))
            return configuration;
        var folder = Path.Combine(Folder, "machine");
        if (Directory.Exists(folder))
            Directory.Delete(folder, recursive: true);
        foreach (var (name, text) in own)
            Write(folder, name, Checked(text));
        return configuration with { SourceFile = "/dev/null", SourceFolder = folder };

        string Checked(string text)
        {
            var kept = SignatureOptions.Remove(text);
            if (kept != text)
                log.Detail("Options of package sources that turn off the check of signatures (trusted, allow-insecure, ...) are ignored.");
            return kept;
        }
    }

    private static string Write(string folder, string name, string text)
    {
        Directory.CreateDirectory(folder);
        var file = Path.Combine(folder, name);
        File.WriteAllText(file, text.ReplaceLineEndings("\n") + "\n");
        return file;
    }

    private static string[] UnusedMethods()
    {
        var present = Directory.Exists(MethodFolder) ? Directory.GetFiles(MethodFolder).Select(file => Path.GetFileName(file)) : [];
        return [.. OtherMethods.Union(present).Except(UsedMethods).Order(StringComparer.Ordinal)];
    }

    private static string MachineRelease() => File.Exists("/etc/os-release") ? File.ReadAllText("/etc/os-release") : "";

    private static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..16];
}

using System.Text.Json;
using ImagePublish.Layers;
using ImagePublish.Oci;

namespace ImagePublish.Packages.Dependencies;

/// <summary>What an app needs of the system, read out of its files.</summary>
internal sealed class AppDependencies
{
    // Loaded only where tracing by LTTng is wanted; .NET does without.
    private const string Optional = "libcoreclrtraceptprovider.so";

    private readonly Dictionary<string, string> libraries = new(StringComparer.Ordinal);
    private readonly HashSet<string> assemblies = new(StringComparer.Ordinal);
    private readonly Platform platform;
    private readonly bool isMusl;

    private AppDependencies(Platform platform, bool isMusl) => (this.platform, this.isMusl) = (platform, isMusl);

    /// <summary>The libraries that the loader looks for, each with a file that needs it.</summary>
    public IReadOnlyDictionary<string, string> Libraries => libraries;

    public IReadOnlySet<string> Assemblies => assemblies;

    /// <summary>A file that asks for time zones by name; null if none does.</summary>
    public string? TimeZones { get; private set; }

    /// <summary>A file that draws text; null if none does.</summary>
    public string? Fonts { get; private set; }

    public bool IsInvariant { get; private set; }

    /// <param name="runtimeFiles">Those that come from .NET itself, by their paths in the publish folder: their assemblies use
    /// everything.</param>
    public static AppDependencies Read(
        IEnumerable<LayerEntry> entries,
        IReadOnlySet<string> runtimeFiles,
        Platform platform,
        bool isMusl,
        CancellationToken cancellationToken
    )
    {
        var needs = new AppDependencies(platform, isMusl);
        foreach (var entry in entries.Where(entry => entry.Content is not null && needs.IsForPlatform(entry.PublishPath ?? entry.Path)))
        {
            cancellationToken.ThrowIfCancellationRequested();
            needs.Add(entry, entry.PublishPath is { } path && runtimeFiles.Contains(path));
        }

        return needs;
    }

    private void Add(LayerEntry entry, bool isRuntime)
    {
        var name = Path.GetFileName(entry.Path);
        var extension = Path.GetExtension(name);
        if (name.EndsWith(".runtimeconfig.json", StringComparison.Ordinal))
            AddSettings(entry);
        else if (extension is ".dll" && !isRuntime)
            AddManaged(entry, name);
        else if (OtherArchitectures.MayBeNative(entry) && name != Optional)
            AddNative(entry, name);
    }

    private void AddNative(LayerEntry entry, string name)
    {
        using var file = entry.Content!.Open();
        if (!file.CanSeek || ElfFile.TryRead(file) is not { } elf || elf.Machine != OtherArchitectures.MachineOf(platform))
            return;
        foreach (var library in elf.Needed)
            libraries.TryAdd(library, name);
        if (name.StartsWith("libSkiaSharp.so", StringComparison.Ordinal))
            Fonts ??= name;
    }

    private void AddManaged(LayerEntry entry, string name)
    {
        using var file = entry.Content!.Open();
        if (!file.CanSeek || ManagedFile.TryRead(file) is not { } managed)
            return;
        assemblies.UnionWith(managed.Assemblies);
        foreach (var library in managed.Libraries.Select(LibraryPackages.Invokes).OfType<string>())
        {
            libraries.TryAdd(library, name);
            Fonts ??= library.StartsWith("libgdiplus", StringComparison.Ordinal) ? name : null;
        }

        if (managed.UsesTimeZones)
            TimeZones ??= name;
    }

    private void AddSettings(LayerEntry entry)
    {
        try
        {
            using var file = entry.Content!.Open();
            using var json = JsonDocument.Parse(file);
            IsInvariant |=
                json.RootElement.TryGetProperty("runtimeOptions", out var options)
                && options.TryGetProperty("configProperties", out var properties)
                && properties.TryGetProperty("System.Globalization.Invariant", out var value)
                && value.ToString().Equals("true", StringComparison.OrdinalIgnoreCase);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            // The app will complain itself.
        }
    }

    // A portable app brings native parts for every system along.
    private bool IsForPlatform(string path)
    {
        var parts = path.Split('/');
        var at = Array.IndexOf(parts, "runtimes");
        if (at < 0 || at + 2 >= parts.Length)
            return true;
        var architecture = platform.Architecture switch
        {
            "amd64" => "x64",
            "386" => "x86",
            var same => same,
        };
        return parts[at + 1] is "unix" or "linux" || parts[at + 1] == (isMusl ? "linux-musl-" : "linux-") + architecture;
    }
}

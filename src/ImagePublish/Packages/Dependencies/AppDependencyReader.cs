using System.Text.Json;
using ImagePublish.Layers;
using ImagePublish.Oci;

namespace ImagePublish.Packages.Dependencies;

/// <summary>Reads out of an app's files what it needs of the system.</summary>
internal sealed class AppDependencyReader(Platform platform, bool isMusl)
{
    // Loaded only where tracing by LTTng is wanted; .NET does without.
    private const string Optional = "libcoreclrtraceptprovider.so";

    /// <param name="runtimeFiles">Those that come from .NET itself, by their paths in the publish folder: their assemblies use
    /// everything.</param>
    public AppDependencies Read(IEnumerable<LayerEntry> entries, IReadOnlySet<string> runtimeFiles, CancellationToken cancellationToken)
    {
        var needs = new AppDependencies();
        foreach (var entry in entries.Where(entry => entry.Content is not null && IsForPlatform(entry.PublishPath ?? entry.Path)))
        {
            cancellationToken.ThrowIfCancellationRequested();
            Add(needs, entry, entry.PublishPath is { } path && runtimeFiles.Contains(path));
        }

        return needs;
    }

    private void Add(AppDependencies needs, LayerEntry entry, bool isRuntime)
    {
        var name = Path.GetFileName(entry.Path);
        var extension = Path.GetExtension(name);
        if (name.EndsWith(".runtimeconfig.json", StringComparison.Ordinal))
            AddSettings(needs, entry);
        else if (extension is ".dll" && !isRuntime)
            AddManaged(needs, entry, name);
        else if (OtherArchitectures.MayBeNative(entry) && name != Optional)
            AddNative(needs, entry, name);
    }

    private void AddNative(AppDependencies needs, LayerEntry entry, string name)
    {
        using var file = entry.Content!.Open();
        if (!file.CanSeek || ElfFile.TryRead(file) is not { } elf || elf.Machine != OtherArchitectures.MachineOf(platform))
            return;
        foreach (var library in elf.Needed)
            needs.NeedLibrary(library, name);
        if (name.StartsWith("libSkiaSharp.so", StringComparison.Ordinal))
            needs.NeedFonts(name);
    }

    private static void AddManaged(AppDependencies needs, LayerEntry entry, string name)
    {
        using var file = entry.Content!.Open();
        if (!file.CanSeek || ManagedFile.TryRead(file) is not { } managed)
            return;
        needs.NeedAssemblies(managed.Assemblies);
        foreach (var library in managed.Libraries.Select(LibraryPackages.Invokes).OfType<string>())
        {
            needs.NeedLibrary(library, name);
            if (library.StartsWith("libgdiplus", StringComparison.Ordinal))
                needs.NeedFonts(name);
        }

        if (managed.UsesTimeZones)
            needs.NeedTimeZones(name);
    }

    private static void AddSettings(AppDependencies needs, LayerEntry entry)
    {
        try
        {
            using var file = entry.Content!.Open();
            using var json = JsonDocument.Parse(file);
            if (
                json.RootElement.TryGetProperty("runtimeOptions", out var options)
                && options.TryGetProperty("configProperties", out var properties)
                && properties.TryGetProperty("System.Globalization.Invariant", out var value)
                && value.ToString().Equals("true", StringComparison.OrdinalIgnoreCase)
            )
                needs.NeedNoCultures();
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

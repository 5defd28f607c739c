using ImagePublish.Common;
using ImagePublish.Layers;
using ImagePublish.Oci;

namespace ImagePublish.Packages.Dependencies;

/// <summary>Native files of the publish folder that the image's processor can not run: what is left when two platforms were published into
/// one folder.</summary>
internal static class OtherArchitectures
{
    private const int MaxListed = 4;

    // https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.eheader.html, and what folders of files for it are called.
    private static readonly (string Architecture, int Machine, string[] FolderNames)[] Known =
    [
        ("amd64", 62, ["x64", "amd64", "x86_64", "x86-64"]),
        ("arm64", 183, ["arm64", "aarch64"]),
        ("arm", 40, ["arm"]),
        ("386", 3, ["x86", "386", "i686"]),
        ("s390x", 22, ["s390x"]),
        ("ppc64le", 21, ["ppc64le"]),
        ("riscv64", 243, ["riscv64"]),
        ("loong64", 258, ["loong", "loongarch64"]),
    ];

    /// <summary>The number that an ELF file for a platform has; -1 for a platform that is not known.</summary>
    public static int MachineOf(Platform platform) =>
        Array.Find(Known, known => known.Architecture == platform.Architecture) is { Architecture: not null } own ? own.Machine : -1;

    /// <summary>A warning about such files, or null if there are none. Only the publish folder is looked at: what an item adds is what its
    /// author wants.</summary>
    public static string? Find(
        IReadOnlyList<LayerEntry> entries,
        Platform platform,
        IReadOnlyList<string> command,
        CancellationToken cancellationToken
    )
    {
        var own = MachineOf(platform);
        if (own < 0)
            return null;
        var found = new SortedDictionary<string, string>(StringComparer.Ordinal);
        // A portable app has an apphost for the machine that built it, and is started by dotnet: it matters only where the image's command
        // names it.
        var assemblies = entries
            .Select(entry => entry.PublishPath)
            .Where(path => path?.EndsWith(".dll", StringComparison.Ordinal) == true)
            .ToHashSet(StringComparer.Ordinal);
        foreach (var entry in entries)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (
                entry is { PublishPath: { } path, Content: FileOnDisk content }
                && MayBeNative(entry)
                && ArchitectureOf(content) is { Architecture: not null } other
                && other.Machine != own
                && !Runs(platform, other.Architecture)
                && !IsMeant(path, other.FolderNames)
                && (!assemblies.Contains(path + ".dll") || command.Contains("/" + entry.Path))
            )
            {
                found.TryAdd(path, other.Architecture);
            }
        }

        return found.Count == 0 ? null : Describe(found, platform);
    }

    private static string Describe(SortedDictionary<string, string> found, Platform platform)
    {
        var names =
            string.Join(", ", found.Keys.Take(MaxListed).Select(path => $"'{Text.Sanitize(path)}'"))
            + (found.Count > MaxListed ? $" and {found.Count - MaxListed} more" : "");
        var architectures = string.Join(" and ", found.Values.Distinct().Order(StringComparer.Ordinal));
        var (verb, pronoun) = found.Count == 1 ? ("is", "it") : ("are", "them");
        return $"{names} {verb} built for {architectures}, which {platform} can't run. Delete the publish folder and publish again, each "
            + $"platform into a folder of its own; or remove the item or package that adds {pronoun} for this platform.";
    }

    /// <summary>Whether a file of this name and mode can be a native library or program.</summary>
    public static bool MayBeNative(LayerEntry entry)
    {
        var name = Path.GetFileName(entry.Path);
        var extension = Path.GetExtension(name);
        return extension is not (".dll" or ".json" or ".pdb")
            && (extension.Length == 0 || name.Contains(".so", StringComparison.Ordinal) || (entry.Mode & UnixFileMode.UserExecute) != 0);
    }

    private static (string Architecture, int Machine, string[] FolderNames) ArchitectureOf(FileOnDisk content)
    {
        using var file = content.Open();
        var machine = ElfFile.TryRead(file)?.Machine;
        // Other numbers are not of processors that .NET runs on: BPF programs, firmware.
        return Array.Find(Known, known => known.Machine == machine);
    }

    private static bool Runs(Platform platform, string architecture) =>
        (platform.Architecture, architecture) is ("amd64", "386") or ("arm64", "arm");

    // A portable app brings native files for every system in "runtimes", and some packages do in folders named after the architecture.
    private static bool IsMeant(string path, string[] folderNames)
    {
        var folders = path.Split('/')[..^1];
        return folders.Contains("runtimes")
            || folders.Any(folder => folderNames.Any(name => folder.Contains(name, StringComparison.OrdinalIgnoreCase)));
    }
}

namespace ImagePublish.Layers;

/// <summary>How executable files (0755 in the image) are detected among the others (0644).</summary>
internal enum ExecutableRule
{
    /// <summary>
    /// By their first bytes: an ELF program or library, or a script that begins with <c>#!</c>. For file systems without execute bits, and for files of packages everywhere:
    /// NuGet gives an execute bit to every file that it unpacks on Linux, and none on Windows.
    /// </summary>
    Content,

    /// <summary>By their first bytes; other files but assemblies also by their own execute bits.</summary>
    ContentOrFileMode,
}

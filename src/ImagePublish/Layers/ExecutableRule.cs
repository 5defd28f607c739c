namespace ImagePublish.Layers;

/// <summary>How it is told whether a file is executable in the image (0755) or not (0644).</summary>
public enum ExecutableRule
{
    /// <summary>By the file's own permissions: any of its execute bits, unless it is an assembly, which NuGet unpacks with one.</summary>
    FileMode,

    /// <summary>By its first bytes: an ELF program or library, or a script that begins with <c>#!</c>. For file systems without execute bits.</summary>
    Content,
}

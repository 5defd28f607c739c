namespace ImagePublish.Layers;

/// <summary>What an entry of a layer is. Hard links, devices and whiteouts are never written.</summary>
internal enum LayerEntryKind
{
    /// <summary>A directory.</summary>
    Directory,

    /// <summary>A regular file.</summary>
    File,

    /// <summary>A symbolic link.</summary>
    SymbolicLink,
}

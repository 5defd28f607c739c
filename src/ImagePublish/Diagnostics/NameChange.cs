namespace ImagePublish.Diagnostics;

/// <summary>What happened to a name that other people see.</summary>
internal enum NameChange
{
    /// <summary>It points at an image now.</summary>
    Tagged,

    /// <summary>It is gone, with its image.</summary>
    Removed,
}

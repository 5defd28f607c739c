using ImagePublish.Oci;

namespace ImagePublish.Bases;

/// <summary>Where the base image is to be had.</summary>
internal abstract record BaseSource;

/// <summary>There is none: the image begins empty.</summary>
internal sealed record ScratchBase : BaseSource
{
    /// <summary>What a base image would say of the environment.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> EnvironmentVariables { get; init; } = [];
}

/// <summary>An image in a registry.</summary>
internal sealed record RegistryBase(Reference Reference) : BaseSource
{
    /// <summary>The digest that a lock file pins it to: then the registry is not asked what the reference points at.</summary>
    public Digest? Locked { get; init; }
}

/// <summary>An image of a registry as the local store has it: no registry is asked.</summary>
internal sealed record StoreBase(Reference Reference) : BaseSource;

/// <summary>An image of the local store, or a file of this machine: an archive, an image layout's folder, or the tar of a root file system.</summary>
internal sealed record LocalBase(ImageSource Source) : BaseSource;

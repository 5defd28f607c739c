using ImagePublish.Oci;

namespace ImagePublish.Publishing;

/// <summary>Where the base image is to be had.</summary>
public abstract record BaseSource;

/// <summary>There is none: the image begins empty.</summary>
public sealed record ScratchBase : BaseSource
{
    /// <summary>What a base image would say of the environment.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> EnvironmentVariables { get; init; } = [];
}

/// <summary>An image in a registry.</summary>
/// <param name="Reference">Its reference.</param>
public sealed record RemoteBase(Reference Reference) : BaseSource;

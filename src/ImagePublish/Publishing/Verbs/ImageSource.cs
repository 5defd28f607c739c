using ImagePublish.Engines;
using ImagePublish.Oci;

namespace ImagePublish.Publishing.Verbs;

/// <summary>Where an image is that a verb reads.</summary>
public abstract record ImageSource;

/// <summary>An image in a registry.</summary>
/// <param name="Reference">Its reference.</param>
public sealed record RegistryImage(Reference Reference) : ImageSource
{
    /// <inheritdoc/>
    public override string ToString() => Reference.ToString();
}

/// <summary>An image in the local store.</summary>
/// <param name="Name">Its name there, such as <c>acme/shop:1.0</c> or <c>acme/shop@sha256:…</c>.</param>
public sealed record StoreImage(string Name) : ImageSource
{
    /// <inheritdoc/>
    public override string ToString() => Name;
}

/// <summary>An image of the Docker on this machine.</summary>
/// <param name="Name">Its name there, such as <c>acme/base:1.0</c>.</param>
/// <param name="Address">Where Docker is.</param>
public sealed record EngineImage(string Name, EngineAddress Address) : ImageSource
{
    /// <inheritdoc/>
    public override string ToString() => $"docker-daemon:{Name}";
}

/// <summary>An image in an archive or an image layout's folder.</summary>
/// <param name="Path">The full path.</param>
/// <param name="Name">Which of its images; null for the only one.</param>
public sealed record ArchivedImage(string Path, string? Name) : ImageSource
{
    /// <inheritdoc/>
    public override string ToString() => Name is null ? Path : $"{Path}#{Name}";
}

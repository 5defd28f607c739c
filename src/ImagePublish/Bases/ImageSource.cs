using ImagePublish.Engines;
using ImagePublish.Oci;

namespace ImagePublish.Bases;

/// <summary>Where an image is that a verb reads.</summary>
internal abstract record ImageSource;

/// <summary>An image in a registry.</summary>
internal sealed record RegistryImage(Reference Reference) : ImageSource
{
    public override string ToString() => Reference.ToString();
}

/// <summary>An image in the local store.</summary>
internal sealed record StoreImage(string Name) : ImageSource
{
    public override string ToString() => Name;
}

/// <summary>An image of the Docker on this machine.</summary>
internal sealed record EngineImage(string Name, EngineAddress Address) : ImageSource
{
    public override string ToString() => $"docker-daemon:{Name}";
}

/// <summary>An image in an archive or an image layout's folder.</summary>
internal sealed record ArchivedImage(string Path, string? Name) : ImageSource
{
    public override string ToString() => Name is null ? Path : $"{Path}#{Name}";
}

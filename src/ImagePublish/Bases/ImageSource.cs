using ImagePublish.Engines;
using ImagePublish.Oci;

namespace ImagePublish.Bases;

/// <summary>Where an image is read from: as the base of another, or by a command.</summary>
/// <remarks>
/// A new kind of source needs a record here, how it is written in <c>ImageSourceReader</c>, and how it is loaded in
/// <see cref="LocalImages"/>: from there bases and commands have it.
/// </remarks>
internal abstract record ImageSource
{
    /// <summary>What an image that is on this machine is called there, for the names of its copies and labels; null where it has no
    /// name.</summary>
    public virtual string? LocalName => null;
}

/// <summary>An image in a registry.</summary>
internal sealed record RegistryImage(Reference Reference) : ImageSource
{
    /// <summary>The digest that a lock file pins it to: then the registry is not asked what the reference points at.</summary>
    public Digest? Locked { get; init; }

    /// <summary>The repository that is asked in place of the reference's, since it is a mirror of it; null for none.</summary>
    public Repository? Mirror { get; init; }

    /// <summary>Where it is asked for. What an image says of its base, and what a lock file does, is <see cref="Reference"/>.</summary>
    public Reference Location => Mirror is null ? Reference : Reference with { Repository = Mirror };

    public override string ToString() => Reference.ToString();
}

/// <summary>An image of a registry as the local store has it: no registry is asked.</summary>
internal sealed record OfflineImage(Reference Reference) : ImageSource
{
    public override string ToString() => Reference.ToString();
}

/// <summary>An image in the local store.</summary>
internal sealed record StoreImage(string Name) : ImageSource
{
    public override string LocalName => Name;

    public override string ToString() => Name;
}

/// <summary>An image of the Docker on this machine.</summary>
internal sealed record DockerImage(string Name, DockerAddress Address) : ImageSource
{
    public override string LocalName => Name;

    public override string ToString() => $"docker-daemon:{Name}";
}

/// <summary>An image in an archive or an image layout's folder; as a base, also the tar of a root file system.</summary>
internal sealed record ArchivedImage(string Path, string? Name) : ImageSource
{
    public override string? LocalName => Name;

    public override string ToString() => Name is null ? Path : $"{Path}#{Name}";
}

/// <summary>The base of an image that begins empty.</summary>
internal sealed record ScratchImage : ImageSource
{
    public IReadOnlyList<KeyValuePair<string, string>> EnvironmentVariables { get; init; } = [];

    public override string ToString() => "scratch";
}

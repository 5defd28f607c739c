using ImagePublish.Oci;

namespace ImagePublish.Registries;

/// <summary>A manifest or an index as a registry has it, verified.</summary>
internal sealed record RemoteManifest(Reference Reference, MemoryBlobSource Content)
{
    /// <summary>Its media type, digest and size.</summary>
    public Descriptor Descriptor => Content.Descriptor;

    /// <summary>Whether it is an index.</summary>
    public bool IsIndex => MediaTypes.IsIndex(Descriptor.MediaType);
}

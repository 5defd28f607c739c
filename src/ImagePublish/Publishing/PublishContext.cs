using ImagePublish.Bases;
using ImagePublish.Destinations;
using ImagePublish.Diagnostics;
using ImagePublish.Registries;
using ImagePublish.Storage;
using ImagePublish.Trust;
using ImagePublish.UpToDate;

namespace ImagePublish.Publishing;

/// <summary>What the steps of one publish share. What a tag points at is asked once for each context.</summary>
internal sealed class PublishContext
{
    public PublishContext(RegistryClient registries, ImageStore store, IPublishLog log, SharedReferences? shared = null)
    {
        (Registries, Store, Log) = (registries, store, log);
        Cache = new LayerCache(store);
        Documents = new RegistryDocuments(registries, store, shared);
        Destinations = new DestinationFactory(registries, Documents, store);
        Signatures = new ImageVerifier(registries, store, registries.Time);
        UpToDate = new UpToDateCheck(store, Documents, Destinations);
    }

    public RegistryClient Registries { get; }

    public ImageStore Store { get; }

    public IPublishLog Log { get; }

    public LayerCache Cache { get; }

    public RegistryDocuments Documents { get; }

    public DestinationFactory Destinations { get; }

    public UpToDateCheck UpToDate { get; }

    public ImageVerifier Signatures { get; }
}

using ImagePublish.Images;
using ImagePublish.Layers;

namespace ImagePublish.Publishing.Planning;

/// <summary>A publish, or a plan of one, with what it was made of.</summary>
/// <param name="Result">What it reports.</param>
/// <param name="Base">The base image.</param>
/// <param name="Contents">The files of the layers above it, from the bottom up.</param>
internal sealed record PublishRun(PublishResult Result, BaseImage Base, IReadOnlyList<LayerContent> Contents);

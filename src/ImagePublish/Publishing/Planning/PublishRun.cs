using ImagePublish.Images;
using ImagePublish.Layers;

namespace ImagePublish.Publishing.Planning;

/// <summary>A publish, or a plan of one, with what it was made of.</summary>
internal sealed record PublishRun(PublishResult Result, BaseImage Base, IReadOnlyList<LayerInput> Contents);

using ImagePublish.Attachments;
using ImagePublish.Common;
using ImagePublish.LayerReuse;
using ImagePublish.Layers;
using ImagePublish.Oci;

namespace ImagePublish.Publishing;

/// <summary>The debug symbols that are attached to an image. They are compressed when somebody asks for them: a destination that has them
/// is found by the digest of their tar.</summary>
internal sealed class SymbolsStep
{
    private const string Name = "symbols";

    private readonly Lazy<Task<LayerCandidate>> candidate;
    private readonly Lazy<Task<Layer>> layer;

    private SymbolsStep(LayerInput content, LayerProducer producer, TaskScope tasks)
    {
        candidate = new(() => tasks.Run(token => producer.LookUpAsync(content, token)));
        layer = new(() => tasks.Run(async token => (await producer.ProduceAsync(await candidate.Value, ImageFormat.Oci, token)).Layer));
    }

    /// <summary>Plans them; null where the publish has none, or they are somewhere else.</summary>
    /// <exception cref="Diagnostics.ImagePublishException">A file can't be in a layer.</exception>
    public static async Task<SymbolsStep?> PlanAsync(PinnedRequest pinned, LayerProducer producer, TaskScope tasks)
    {
        var symbols = (await pinned.Files.ReadAsync()).SeparateSymbols;
        return symbols.Count == 0 ? null : new SymbolsStep(LayerInput.Create(Name, symbols, pinned.Request.EntryDefaults), producer, tasks);
    }

    /// <summary>Whether attachments have them.</summary>
    public async Task<bool> AreAmongAsync(IReadOnlyList<AttachmentInfo> attached)
    {
        if (!attached.Any(IsSymbols))
            return false;
        var diffId = (await candidate.Value).DiffId ?? (await layer.Value).DiffId;
        return attached.Any(one =>
            IsSymbols(one) && one.Descriptor.Annotations?.GetValueOrDefault(AttachmentTypes.SymbolsDiffId) == diffId.Value
        );
    }

    public async Task<Layer> BuildAsync() => await layer.Value;

    private static bool IsSymbols(AttachmentInfo attachment) => attachment.Types.Contains(AttachmentTypes.Symbols);
}

using ImagePublish.Diagnostics;
using ImagePublish.Images;
using ImagePublish.Layers;

namespace ImagePublish.Reproducing;

/// <summary>The folder that an image's app was compiled in, which <c>ContinuousIntegrationBuild</c> replaces by a constant.</summary>
internal static class CompiledFolder
{
    private const long MaxAssembly = 32 << 20;

    private static readonly string[] Searched = ["app", "projects"];

    /// <summary>Whether the app was compiled so that its folder does not matter; null where the image does not show it.</summary>
    /// <exception cref="ImagePublishException">A layer can't be had.</exception>
    public static async Task<bool?> IsMappedAsync(NamedImage image, string assemblyName, CancellationToken cancellationToken)
    {
        var first = image.Platforms[0];
        var layers = ImageComposer.LayerNames(first.Config).Zip(first.Layers);
        foreach (var (_, layer) in layers.Where(one => Searched.Contains(one.First) && one.Second.Source is not null))
        {
            try
            {
                await using var blob = await layer.Source!.OpenAsync(0, cancellationToken);
                var options = new LayerReaderOptions { DiffId = layer.DiffId, Budget = LayerReader.NewBudget() };
                await foreach (var entry in LayerReader.ReadAsync(blob, options, cancellationToken))
                {
                    if (
                        LayerPath.NameOf(entry.Path) != assemblyName + ".dll"
                        || entry is not { Content: { } content, Length: < MaxAssembly }
                    )
                        continue;
                    var bytes = new byte[entry.Length];
                    await content.ReadExactlyAsync(bytes, cancellationToken);
                    return AssemblyFacts.TryRead(bytes)?.PdbPath is { } path ? SourceExplainer.IsMapped(path) : null;
                }
            }
            catch (ImagePublishException exception) when (exception.Code == DiagnosticCodes.LayerInvalid)
            {
                return null;
            }
        }

        return null;
    }
}

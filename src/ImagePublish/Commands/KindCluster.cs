using ImagePublish.Storage;
using ImagePublish.Storage.Archives;

namespace ImagePublish.Commands;

/// <summary>A Kubernetes cluster that <see href="https://kind.sigs.k8s.io">kind</see> runs: its program loads an archive into every
/// node.</summary>
/// <param name="cluster">The cluster's name; null for kind's default.</param>
internal sealed class KindCluster(string? cluster, StoreDisk disk) : IContainerEngine
{
    private const string Load = "load image-archive";
    private readonly EngineProgram client = new(EngineChoice.Kind);

    public string Program => EngineChoice.Kind;

    public string Title => cluster is null ? "kind" : $"kind, cluster {cluster}";

    public bool NeedsName => true;

    // Each node reads the archive again: it has to be a file.
    public async Task<LoadedImage> LoadAsync(ArchiveImage image, CancellationToken cancellationToken)
    {
        var (path, stream) = disk.CreateTemporary();
        try
        {
            await using (stream)
                await ArchiveWriter.WriteAsync([image], stream, cancellationToken);
            string[] name = cluster is null ? [] : ["--name", cluster];
            var result = await client.LoadAsync(Load, ["load", "image-archive", path, .. name], cancellationToken);
            return result.ExitCode == 0
                ? LoadedImage.Create(result.Text.Trim(), image)
                : throw client.Refused(
                    Load,
                    result.Errors,
                    "Check that the cluster runs ('kind get clusters'), and name it with ImageLoad=kind:name or KIND_CLUSTER_NAME."
                );
        }
        catch (Exception exception) when (StoreDisk.IsRefusal(exception))
        {
            throw disk.Refused(path, exception);
        }
        finally
        {
            StoreDisk.Delete(path);
        }
    }
}

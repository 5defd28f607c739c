using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Storage.Archives;

namespace ImagePublish.Commands;

/// <summary>containerd on this machine, by its own client <c>ctr</c>: only the layers that the namespace lacks are sent.</summary>
/// <param name="address">containerd's socket; null for its usual one.</param>
/// <remarks>
/// containerd reads the layers of an imported image from its content store, whether the archive brought them or an earlier one did. So an
/// archive may lack those that are there already. Its garbage collection removes content that no image references, also between the look
/// and the import: then the import fails where it unpacks, or lacks a layer of another platform, and everything is sent.
/// </remarks>
internal sealed class ContainerdClient(string scope, string? address, string program = "ctr") : IContainerEngine
{
    private const string ConnectTimeout = "10s";
    private const string Import = "images import";
    private static readonly TimeSpan ListTimeout = TimeSpan.FromMinutes(1);
    private readonly EngineProgram client = new(program);

    public string Program => EngineChoice.Containerd;

    public string Title => $"containerd, namespace {scope}";

    public bool NeedsName => true;

    public string NameOf(string name) => WholeNameOf(name);

    /// <summary>The whole name, which is the only one that containerd knows.</summary>
    public static string WholeNameOf(string name) => Reference.TryParse(name, out var reference, out _) ? reference.ToString() : name;

    public async Task<LoadedImage> LoadAsync(ArchiveImage image, CancellationToken cancellationToken)
    {
        var layers = image.Platforms.SelectMany(platform => platform.Layers).Select(layer => layer.Descriptor.Digest).ToHashSet();
        var known = await ListContentAsync(cancellationToken);
        known.IntersectWith(layers);
        var result = await ImportAsync(image, known, cancellationToken);
        if (known.Count > 0 && (result.ExitCode != 0 || !known.IsSubsetOf(await ListContentAsync(cancellationToken))))
        {
            known = [];
            result = await ImportAsync(image, known, cancellationToken);
        }

        if (result.ExitCode != 0)
            throw client.Refused(
                Import,
                result.Errors,
                "Check containerd's free space and its log, or write an archive with ImageArchive."
            );
        return LoadedImage.Create(result.Text.Trim(), image, known);
    }

    private async Task<HashSet<Digest>> ListContentAsync(CancellationToken cancellationToken)
    {
        ProgramResult result;
        try
        {
            result = await client.RunAsync(Arguments("content", "ls", "--quiet"), cancellationToken, timeLimit: ListTimeout);
        }
        catch (TimeoutException)
        {
            throw Unreachable($"it does not answer within {ListTimeout.TotalSeconds:0} seconds");
        }

        if (result.ExitCode != 0)
            throw Unreachable(result.Errors);
        var digests = new HashSet<Digest>();
        foreach (var line in result.Text.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            if (Digest.TryParse(line, out var digest))
                digests.Add(digest);
        }

        return digests;
    }

    private Task<ProgramResult> ImportAsync(ArchiveImage image, IReadOnlySet<Digest> known, CancellationToken cancellationToken)
    {
        // Unpacking an index without this machine's platform fails, although its content was imported.
        var isForeign = image.Preferred is { } preferred && !image.Platforms.Any(platform => platform.Config.Platform.Satisfies(preferred));
        string[] unpacking = isForeign ? ["--no-unpack"] : [];
        return client.LoadAsync(
            Import,
            Arguments(["images", "import", "--all-platforms", .. unpacking, "-"]),
            cancellationToken,
            (input, stop) => ArchiveWriter.WriteAsync([image], known, input, stop)
        );
    }

    private string[] Arguments(params string[] command)
    {
        string[] server = address is null ? [] : ["--address", address];
        return [.. server, "--connect-timeout", ConnectTimeout, "--namespace", scope, .. command];
    }

    private ImagePublishException Unreachable(string errors) =>
        client.Refused(
            "content ls",
            errors,
            "Check that containerd runs, that CONTAINERD_ADDRESS names its socket where that is not the usual one, and that you may use it "
                + "(on most machines only root may), or write an archive with ImageArchive."
        );
}

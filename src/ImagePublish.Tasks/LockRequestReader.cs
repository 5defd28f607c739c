using ImagePublish.Images;
using ImagePublish.Requests;
using ImagePublish.Tasks.Shared;

namespace ImagePublish.Tasks;

/// <summary>
/// Reads whether a project has a lock file. As with NuGet's, one that lies beside the project is held to; a project that names one gets it.
/// </summary>
internal sealed class LockRequestReader(IBaseInputs inputs)
{
    private const string DefaultName = "image.lock.json";

    private string PathOfFile => inputs.ResolvePath(InputParser.Optional(inputs.LockFile) ?? DefaultName);

    public LockRequest? Read() =>
        inputs.LockedMode || InputParser.Optional(inputs.LockFile) is not null || File.Exists(PathOfFile) ? Create([]) : null;

    public LockRequest ReadForUpdate(IEnumerable<string> runtimeIdentifiers) =>
        Create([.. runtimeIdentifiers.Select(identifier => RuntimeIdentifier.Parse(identifier).Platform.ToString())]);

    private LockRequest Create(IReadOnlyList<string> platforms) =>
        new(PathOfFile)
        {
            IsLocked = inputs.LockedMode,
            LockFolder = StoreFolder.Locks,
            Platforms = platforms,
        };
}

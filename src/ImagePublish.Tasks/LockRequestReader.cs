using ImagePublish.Images;
using ImagePublish.Publishing.Locking;

namespace ImagePublish.Tasks;

/// <summary>Reads whether a project has a lock file. As with NuGet's, one that lies beside the project is held to; a project that names one gets it.</summary>
/// <param name="inputs">What MSBuild handed over.</param>
internal sealed class LockRequestReader(PublishImageInputs inputs)
{
    private const string DefaultName = "image.lock.json";

    private string PathOfFile => inputs.ResolvePath(Lists.Optional(inputs.LockFile) ?? DefaultName);

    /// <summary>Reads it.</summary>
    /// <returns>The lock, or null if the project has none.</returns>
    public LockRequest? Read() => inputs.LockedMode || Lists.Optional(inputs.LockFile) is not null || File.Exists(PathOfFile) ? Of([]) : null;

    /// <summary>Reads it for whoever renews it.</summary>
    /// <param name="runtimeIdentifiers">All platforms of the project.</param>
    /// <returns>The lock, which need not exist yet.</returns>
    public LockRequest ReadForUpdate(IEnumerable<string> runtimeIdentifiers) => Of([.. runtimeIdentifiers.Select(identifier => RuntimeIdentifier.Parse(identifier).Platform.ToString())]);

    private LockRequest Of(IReadOnlyList<string> platforms) => new(PathOfFile) { IsLocked = inputs.LockedMode, TurnFolder = StoreFolder.Turns, Platforms = platforms };
}

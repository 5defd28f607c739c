namespace ImagePublish.Benchmarks.Cases;

/// <summary>A situation that a developer or a CI machine is in when it publishes.</summary>
/// <param name="Key">Its name on the command line.</param>
/// <param name="Title">Its name in the table.</param>
/// <param name="Goal">The greatest share of the SDK's overhead that is acceptable.</param>
internal sealed record PublishCase(string Key, string Title, double Goal)
{
    /// <summary>One line of C# is another than at the publish before.</summary>
    public bool EditsCode { get; init; }

    /// <summary>A package has another version than at the publish before.</summary>
    public bool UpdatesPackage { get; init; }

    /// <summary>The machine remembers nothing of earlier publishes.</summary>
    public bool ForgetsCaches { get; init; }

    /// <summary>Builds believe each other's layers by a key that they share.</summary>
    public bool UsesCacheKey { get; init; }

    /// <summary>The repository is empty.</summary>
    public bool UsesNewRepository { get; init; }

    /// <summary>What is pushed to is another registry than the one with the base image.</summary>
    public bool UsesOtherRegistry { get; init; }

    /// <summary>There is a commit since the publish before, which changes no file, and CI builds it.</summary>
    public bool Commits { get; init; }

    /// <summary>A solution of many services instead of the one.</summary>
    public bool IsSolution { get; init; }

    public static IReadOnlyList<PublishCase> All { get; } =
    [
        new("unchanged", "nothing changed", 0.03),
        new("line", "one line of C# changed", 0.06) { EditsCode = true },
        new("fresh", "one line changed, fresh machine", 0.30) { EditsCode = true, ForgetsCaches = true },
        new("key", "one line changed, fresh machine, with a cache key", 0.08)
        {
            EditsCode = true,
            ForgetsCaches = true,
            UsesCacheKey = true,
        },
        new("package", "one package updated", 0.12) { UpdatesPackage = true },
        new("first", "first push, base in the same registry", 0.25) { ForgetsCaches = true, UsesNewRepository = true },
        new("other", "first push, base in another registry", 0.30)
        {
            ForgetsCaches = true,
            UsesNewRepository = true,
            UsesOtherRegistry = true,
        },
        new("services", "20 services sharing their packages", 0.08)
        {
            ForgetsCaches = true,
            UsesNewRepository = true,
            IsSolution = true,
        },
        new("commit", "a commit elsewhere, in CI", 0.05) { Commits = true },
    ];
}

namespace ImagePublish.Attachments;

/// <summary>What a build knows of itself, for provenance. Nothing in it is secret: it is published.</summary>
internal sealed record BuildFacts
{
    public required BuildTool Tool { get; init; }

    /// <summary>Who built: an address of the CI system's; null where there is none, or its variables are incomplete.</summary>
    public string? BuilderId { get; init; }

    /// <summary>The project's file, relative to the root of the checkout where it is in one.</summary>
    public required string Project { get; init; }

    /// <summary>What the user asked for, by the names of the properties.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Parameters { get; init; } = [];

    public SourceCommit? Source { get; init; }

    /// <summary>NuGet's <c>project.assets.json</c>, which has the packages that were restored; null where there is none.</summary>
    public string? AssetsFile { get; init; }

    /// <summary>The framework and platform of that file that were built, as <c>net10.0/linux-x64</c> and <c>net10.0</c>: the first that
    /// it has counts.</summary>
    public IReadOnlyList<string> AssetsTargets { get; init; } = [];

    public BuildRun Run { get; init; } = new();
}

/// <summary>The programs that built.</summary>
internal sealed record BuildTool(string Version)
{
    public string? Sdk { get; init; }

    public string? MSBuild { get; init; }
}

/// <summary>The commit that was built.</summary>
/// <param name="Url">The repository without secrets; null where it is not known.</param>
/// <param name="Ref">The full name of a branch or tag; null where it is not known.</param>
internal sealed record SourceCommit(string? Url, string? Ref, string Commit);

/// <summary>What differs each time that the same is built. It is in no attestation that decides a digest.</summary>
internal sealed record BuildRun
{
    /// <summary>The CI system's address of this run.</summary>
    public string? Invocation { get; init; }

    /// <summary>When the CI system started it, RFC 3339.</summary>
    public string? StartedOn { get; init; }

    /// <summary>Whether files differ from the commit; null where that is not known. Asked only when provenance is made.</summary>
    public Func<Task<bool?>>? HasChangesAsync { get; init; }
}

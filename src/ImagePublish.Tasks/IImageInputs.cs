using Microsoft.Build.Framework;

namespace ImagePublish.Tasks;

/// <summary>What an image's names and tags are made of, for tasks that publish and for commands alike.</summary>
internal interface IImageInputs
{
    IBuildEngine4 BuildEngine4 { get; }

    string? Registry { get; }

    string? Repository { get; }

    string? RepositoryPrefix { get; }

    string? Name { get; }

    string? Tags { get; }

    string? TagPolicy { get; }

    /// <summary>What every tag ends with, as those of a variant do.</summary>
    string TagSuffix { get; }

    string? AssemblyName { get; }

    string? Version { get; }

    string? Configuration { get; }

    string? Revision { get; }

    string? Branch { get; }

    string? Created { get; }

    string? RevisionTime { get; }

    /// <summary>Whether the revision may be another commit than HEAD without anybody having asked for it.</summary>
    bool IsRevisionDefault { get; }

    bool Offline { get; }

    /// <summary>The full path of a path that may be relative to the project.</summary>
    string ResolvePath(string path);
}

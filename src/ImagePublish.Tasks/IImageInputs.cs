using Microsoft.Build.Framework;

namespace ImagePublish.Tasks;

/// <summary>What an image's names and tags are made of, for tasks that publish and for commands alike.</summary>
internal interface IImageInputs
{
    /// <summary>The build.</summary>
    IBuildEngine4 BuildEngine4 { get; }

    string? Registry { get; }

    string? Repository { get; }

    /// <summary>What every repository's name begins with.</summary>
    string? RepositoryPrefix { get; }

    string? Name { get; }

    /// <summary>Tags and templates of tags; empty for those of <see cref="TagPolicy"/>.</summary>
    string? Tags { get; }

    string? TagPolicy { get; }

    string? AssemblyName { get; }

    string? Version { get; }

    string? Configuration { get; }

    string? Revision { get; }

    string? Branch { get; }

    string? Created { get; }

    bool Offline { get; }

    /// <summary>The full path of a path that may be relative to the project.</summary>
    string ResolvePath(string path);
}

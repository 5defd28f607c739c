using ImagePublish.Oci;

namespace ImagePublish.Sboms;

/// <summary>The form of a software bill of materials.</summary>
internal enum SbomFormat
{
    /// <summary>SPDX 2.3 as JSON.</summary>
    Spdx,

    /// <summary>CycloneDX 1.6 as JSON.</summary>
    CycloneDx,
}

/// <summary>The bill of materials that an image gets: its form, its file, and what the build knows of the app.</summary>
internal sealed record SbomRequest(SbomFormat Format, string File)
{
    public required AppFacts App { get; init; }

    /// <summary>Where published files come from.</summary>
    public IReadOnlyList<SourceFile> Sources { get; init; } = [];

    /// <summary>NuGet's graph of the project; null where there is none.</summary>
    public PackageGraphFile? Graph { get; init; }

    /// <summary>The folders that packages are restored to.</summary>
    public IReadOnlyList<string> PackageFolders { get; init; } = [];

    /// <summary>Adds everything that decides the request to a digest.</summary>
    public void AddTo(DigestBuilder digest)
    {
        AddContentTo(digest);
        digest.Add(File);
        digest.Add(PackageFolders);
        digest.Add(Graph?.Path);
    }

    /// <summary>Adds what decides the document, besides the image, to a digest.</summary>
    public void AddContentTo(DigestBuilder digest)
    {
        digest.Add((long)Format);
        digest.Add(App.Name);
        digest.Add(App.Version);
        digest.Add(App.Licenses);
        digest.Add(App.Supplier);
        digest.Add(Graph?.Framework);
        digest.Add(Graph?.RuntimeIdentifier);
        digest.Add(Sources.Count);
        foreach (var source in Sources)
        {
            digest.Add(source.Path);
            digest.Add(source.Package?.Id);
            digest.Add(source.Package?.Version);
            digest.Add(source.Project);
            digest.Add(source.IsMerged ? 1 : 0);
        }
    }
}

/// <summary>The app, as its project describes it.</summary>
internal sealed record AppFacts(string Name)
{
    public string? Version { get; init; }

    public string? Licenses { get; init; }

    public string? Supplier { get; init; }
}

/// <summary>A file of the publish output, or one that became part of the app's executable.</summary>
/// <param name="Path">Its path in the publish folder, separated by <c>/</c>.</param>
internal sealed record SourceFile(string Path)
{
    public NuGetPackage? Package { get; init; }

    /// <summary>The name of the project that it is built from, if it is not the app's own.</summary>
    public string? Project { get; init; }

    /// <summary>Whether it is no file any more: it was bundled or compiled into the app's executable.</summary>
    public bool IsMerged { get; init; }
}

/// <summary>A version of a package.</summary>
internal sealed record NuGetPackage(string Id, string Version)
{
    /// <summary>Whether it is the runtime that an app brings with it.</summary>
    public bool IsRuntime =>
        Id.StartsWith("Microsoft.", StringComparison.OrdinalIgnoreCase) && Id.Contains(".App.Runtime.", StringComparison.OrdinalIgnoreCase);
}

/// <summary>NuGet's <c>project.assets.json</c>, and which of its targets the app was built for.</summary>
internal sealed record PackageGraphFile(string Path, string Framework, string? RuntimeIdentifier);

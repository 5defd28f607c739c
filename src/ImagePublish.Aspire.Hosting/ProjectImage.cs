using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;

namespace ImagePublish.AppHost;

/// <summary>Where the image of a project goes.</summary>
internal enum ImageDestination
{
    /// <summary>The resource's registry.</summary>
    Registry,

    /// <summary>The container engine on this machine, as the AppHost has no registry.</summary>
    Engine,

    /// <summary>The local store of ImagePublish.Tasks: the image is built, and not pushed in this run.</summary>
    Store,

    /// <summary>A file.</summary>
    Archive,
}

/// <summary>The image of a project resource as the AppHost wants it.</summary>
internal sealed record ProjectImage(IResource Resource, IProjectMetadata Project, ImageDestination Destination)
{
    /// <summary>The registry's host; empty if the image goes nowhere else.</summary>
    public string Registry { get; init; } = "";

    public required string Repository { get; init; }

    public required string Tag { get; init; }

    public IReadOnlyList<string> RuntimeIdentifiers { get; init; } = [];

    /// <summary><c>OCI</c> or <c>Docker</c>; null for what the base image has.</summary>
    public string? Format { get; init; }

    public string? BaseImage { get; init; }

    public string? Archive { get; init; }

    public IReadOnlyList<CopiedFiles> Files { get; init; } = [];
}

/// <summary>Files of another image that go into this one.</summary>
internal sealed record CopiedFiles(string Image, string Path, string Destination);

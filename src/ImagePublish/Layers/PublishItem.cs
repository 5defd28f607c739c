namespace ImagePublish.Layers;

/// <summary>What MSBuild's publish items say of a file in the publish folder.</summary>
internal sealed record PublishItem(string RelativePath, PublishItemOrigin Origin)
{
    /// <summary>The name of the package that it is from, if it is from one.</summary>
    public string? Package { get; init; }

    /// <summary>Whether its execute bit is one that somebody wanted. NuGet gives one to all files of packages, and web servers need
    /// none.</summary>
    internal bool HasMeaningfulMode =>
        Package is null
        && Origin
            is not (
                PublishItemOrigin.Runtime
                or PublishItemOrigin.Package
                or PublishItemOrigin.PrereleasePackage
                or PublishItemOrigin.StaticContent
            );
}

/// <summary>Where a published file comes from, and so how often it changes.</summary>
internal enum PublishItemOrigin
{
    App,

    Runtime,

    Package,

    PrereleasePackage,

    Project,

    StaticContent,

    /// <summary>A file of a project that no build makes: it is copied as it is.</summary>
    Content,
}

/// <summary>How the publish output is divided into layers.</summary>
internal enum LayeringMode
{
    Auto,

#pragma warning disable CA1720 // The property's value, and no floating-point number.
    Single,
#pragma warning restore CA1720
}

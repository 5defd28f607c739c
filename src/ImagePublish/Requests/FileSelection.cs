namespace ImagePublish.Requests;

/// <summary>Which files of the publish folder become part of the image.</summary>
internal sealed record FileSelection
{
    /// <summary>Whether files stay that packages bring for systems which the image's platform does not include.</summary>
    public bool KeepsOtherPlatforms { get; init; }

    public bool OmitsDevelopmentSettings { get; init; }

    public SymbolPlacement Symbols { get; init; }
}

/// <summary>Where debug symbols are.</summary>
internal enum SymbolPlacement
{
    /// <summary>Beside the assemblies that they describe.</summary>
    App,

    /// <summary>In a layer of their own, on top of all others.</summary>
    Layer,

    /// <summary>Attached to the image, whose digest does not depend on them.</summary>
    Separate,

    None,
}

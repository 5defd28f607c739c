namespace ImagePublish.Packages.Dependencies;

/// <summary>What the doctor is told of an app, and how far it may go.</summary>
internal sealed record DependencyCheckRequest
{
    /// <summary>Whether the app needs no culture data, as its project says.</summary>
    public bool IsGlobalizationInvariant { get; init; }

    /// <summary>Whether the app uses ASP.NET, and with it cryptography.</summary>
    public bool UsesAspNet { get; init; }

    /// <summary>Whether the app is built for musl.</summary>
    public bool IsMusl { get; init; }

    /// <summary>Whether a base image is downloaded to see what it has; otherwise only one that is on this machine, or was read before, is looked at.</summary>
    public bool MayDownload { get; init; }
}

namespace ImagePublish.Tasks;

/// <summary>What a base image is chosen by.</summary>
internal interface IBaseInputs
{
    string RuntimeIdentifier { get; }

    string FrameworkVersion { get; }

    string? SdkVersion { get; }

    string AssemblyName { get; }

    bool UsesAspNet { get; }

    bool IsSelfContained { get; }

    bool IsSingleFile { get; }

    bool IsAot { get; }

    bool IsTrimmed { get; }

    bool IsGlobalizationInvariant { get; }

    string? Base { get; }

    string? BaseFamily { get; }

    string? BaseRegistry { get; }

    string? LockFile { get; }

    bool LockedMode { get; }

    bool Offline { get; }

    /// <summary>The full path of a path that may be relative to the project.</summary>
    string ResolvePath(string path);
}

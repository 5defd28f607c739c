using ImagePublish.Oci;

namespace ImagePublish.Images;

/// <summary>What an image needs to know of the app inside: which base suits it, and how it starts.</summary>
internal sealed record DotNetApp
{
    public required RuntimeIdentifier RuntimeIdentifier { get; init; }

    public required string FrameworkVersion { get; init; }

    /// <summary>The version of the SDK that builds it, <c>10.0.100-rc.1.25451.107</c>; null where it is not known.</summary>
    public string? SdkVersion { get; init; }

    public required string AssemblyName { get; init; }

    public bool UsesAspNet { get; init; }

    public bool IsSelfContained { get; init; }

    /// <summary>Whether it is one file, which starts itself even where it needs a runtime.</summary>
    public bool IsSingleFile { get; init; }

    public bool IsAot { get; init; }

    public bool IsTrimmed { get; init; }

    public bool IsGlobalizationInvariant { get; init; }

    private bool BringsRuntime => IsSelfContained || IsAot;

    /// <summary>The base image that Microsoft publishes for such an app, chosen as the .NET SDK's own container support does.</summary>
    public Reference DefaultBase(string? family)
    {
        var name =
            BringsRuntime ? "runtime-deps"
            : UsesAspNet ? "aspnet"
            : "runtime";
        var variant = string.IsNullOrEmpty(family) ? DefaultFamily : family;
        return Reference.Parse($"mcr.microsoft.com/dotnet/{name}:{FrameworkTag}{(variant.Length == 0 ? "" : "-")}{variant}");
    }

    public IReadOnlyList<string> Entrypoint(string workingDirectory)
    {
        var separator = IsWindows ? '\\' : '/';
        var folder = workingDirectory.TrimEnd('/', '\\') + separator;
        return BringsRuntime || IsSingleFile
            ? [folder + AssemblyName + (IsWindows ? ".exe" : "")]
            : ["dotnet", folder + AssemblyName + ".dll"];
    }

    // A preview of .NET has no tag of its major and minor version alone. Later feature bands of a prerelease SDK come with a released
    // framework.
    private string FrameworkTag
    {
        get
        {
            if (
                SemanticVersion.TryParse(SdkVersion ?? "") is not { IsStable: false, Patch: "100" } sdk
                || $"{sdk.Major}.{sdk.Minor}" != FrameworkVersion
            )
                return FrameworkVersion;
            return sdk.Prerelease.Split('.') switch
            {
                ["preview" or "rc", var number, ..] => $"{FrameworkVersion}.0-{sdk.Prerelease.Split('.')[0]}.{number}",
                ["alpha" or "dev" or "ci", ..] => $"{FrameworkVersion}-preview",
                _ => FrameworkVersion,
            };
        }
    }

    private bool IsWindows => RuntimeIdentifier.Platform.Os == "windows";

    private string DefaultFamily
    {
        get
        {
            if (IsWindows)
                return "";
            if (RuntimeIdentifier.IsMusl)
                return "alpine";
            if (!IsAot && !(IsTrimmed && BringsRuntime))
                return "";
            return IsGlobalizationInvariant ? "noble-chiseled" : "noble-chiseled-extra";
        }
    }
}

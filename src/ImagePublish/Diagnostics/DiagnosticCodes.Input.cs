namespace ImagePublish.Diagnostics;

/// <content>What the project or the command line asks for.</content>
internal static partial class DiagnosticCodes
{
    /// <summary>An image reference is malformed.</summary>
    public static DiagnosticCode InvalidReference { get; } = new("IMG1001", "An image reference is malformed");

    /// <summary>A digest is malformed.</summary>
    public static DiagnosticCode InvalidDigest { get; } = new("IMG1002", "A digest is malformed");

    /// <summary>A platform is malformed or unknown.</summary>
    public static DiagnosticCode InvalidPlatform { get; } = new("IMG1003", "A platform is malformed or unknown");

    /// <summary>A tag is malformed.</summary>
    public static DiagnosticCode InvalidTag { get; } = new("IMG1004", "A tag is malformed");

    /// <summary>A repository name is malformed.</summary>
    public static DiagnosticCode InvalidRepository { get; } = new("IMG1005", "A repository name is malformed");

    /// <summary>A registry host is malformed.</summary>
    public static DiagnosticCode InvalidRegistry { get; } = new("IMG1006", "A registry host is malformed");

    /// <summary>A property or an item has a value that it can not have.</summary>
    public static DiagnosticCode InvalidValue { get; } = new("IMG1007", "A property or an item has a value that it can not have");

    /// <summary>The publish folder is missing or empty.</summary>
    public static DiagnosticCode PublishFolderEmpty { get; } = new("IMG1008", "The publish folder is missing or empty");

    /// <summary>A tag's template can not be filled in.</summary>
    public static DiagnosticCode InvalidTemplate { get; } = new("IMG1009", "A tag's template can not be filled in");

    /// <summary>The build tool is too old.</summary>
    public static DiagnosticCode HostTooOld { get; } = new("IMG1010", "The build tool is too old");

    /// <summary>The project's framework runs in no image.</summary>
    public static DiagnosticCode FrameworkUnsupported { get; } = new("IMG1011", "The project's framework runs in no image");

    /// <summary>The project targets several frameworks.</summary>
    public static DiagnosticCode SeveralFrameworks { get; } = new("IMG1012", "The project targets several frameworks");

    /// <summary>Images of an index are for the same platform, or for none.</summary>
    public static DiagnosticCode PlatformsCollide { get; } = new("IMG1013", "Images of an index are for the same platform, or for none");

    /// <summary>An image that is to be joined into an index is missing.</summary>
    public static DiagnosticCode IndexImageMissing { get; } = new("IMG1014", "An image that is to be joined into an index is missing");

    /// <summary>A platform is asked for that the project is not restored for.</summary>
    public static DiagnosticCode PlatformNotRestored { get; } =
        new("IMG1015", "A platform is asked for that the project is not restored for");

    /// <summary>Something can not be put where an item says.</summary>
    public static DiagnosticCode InvalidTarget { get; } = new("IMG1016", "Something can not be put where an item says");

    /// <summary>The base image does not know an owner.</summary>
    public static DiagnosticCode UnknownOwner { get; } = new("IMG1017", "The base image does not know an owner");

    /// <summary>Entry point and command contradict each other.</summary>
    public static DiagnosticCode ContradictoryCommand { get; } = new("IMG1018", "Entry point and command contradict each other");

    /// <summary>git can not read the checkout that is built.</summary>
    public static DiagnosticCode GitFailed { get; } = new("IMG1019", "git can not read the checkout");

    /// <summary>A published file is built for another processor.</summary>
    public static DiagnosticCode OtherMachine { get; } = new("IMG1022", "A published file is built for another processor");

    /// <summary>A condition on RuntimeIdentifier does not tell platforms apart.</summary>
    public static DiagnosticCode PlatformConditionIneffective { get; } =
        new("IMG1025", "A condition on RuntimeIdentifier does not tell platforms apart");

    /// <summary>An image would be copied onto itself.</summary>
    public static DiagnosticCode SameImage { get; } = new("IMG1030", "An image would be copied onto itself");

    /// <summary>A target needs a property that is not set.</summary>
    public static DiagnosticCode PropertyMissing { get; } = new("IMG1031", "A target needs a property that is not set");

    /// <summary>A prune would remove everything, or nobody said how much stays.</summary>
    public static DiagnosticCode PruneUnbounded { get; } = new("IMG1032", "A prune needs to know how much stays");

    /// <summary>A prune could mean the local store or a registry.</summary>
    public static DiagnosticCode PrunePlaceUnclear { get; } = new("IMG1033", "A prune could mean the local store or a registry");

    /// <summary>PublishImage and PublishContainer would make two images under one name.</summary>
    public static DiagnosticCode PublishedTwice { get; } = new("IMG1034", "PublishImage and PublishContainer contradict each other");

    /// <summary>PublishContainer is asked for a container engine that is not supported.</summary>
    public static DiagnosticCode EngineUnsupported { get; } = new("IMG1035", "A container engine is asked for that is not supported");

    /// <summary>PublishContainer is not this package's.</summary>
    public static DiagnosticCode NotTakenOver { get; } = new("IMG1036", "PublishContainer is not served by this package");

    /// <summary>A file-based app is asked for several platforms.</summary>
    public static DiagnosticCode FileBasedPlatforms { get; } = new("IMG1037", "A file-based app is published for one platform at a time");

    /// <summary>The build was cancelled while names were changed.</summary>
    public static DiagnosticCode ChangesInterrupted { get; } =
        new("IMG1040", "The build was cancelled while tags were moved or images removed");

    /// <summary>Two projects of a build publish under the same name.</summary>
    public static DiagnosticCode NameTaken { get; } = new("IMG1041", "Two projects of a build publish under the same name");

    private static DiagnosticCode[] Input =>
        [
            InvalidReference,
            InvalidDigest,
            InvalidPlatform,
            InvalidTag,
            InvalidRepository,
            InvalidRegistry,
            InvalidValue,
            PublishFolderEmpty,
            InvalidTemplate,
            HostTooOld,
            FrameworkUnsupported,
            SeveralFrameworks,
            PlatformsCollide,
            IndexImageMissing,
            PlatformNotRestored,
            InvalidTarget,
            UnknownOwner,
            ContradictoryCommand,
            GitFailed,
            OtherMachine,
            PlatformConditionIneffective,
            SameImage,
            PropertyMissing,
            PruneUnbounded,
            PrunePlaceUnclear,
            PublishedTwice,
            EngineUnsupported,
            NotTakenOver,
            FileBasedPlatforms,
            ChangesInterrupted,
            NameTaken,
        ];
}

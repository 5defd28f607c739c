namespace ImagePublish.Diagnostics;

/// <summary>Every code, by its range. Each is explained in <c>docs/troubleshooting.md</c>.</summary>
internal static class DiagnosticCodes
{
    private static readonly List<DiagnosticCode> Known = [];

    // IMG1xxx: what the project or the command line asks for.
    public static DiagnosticCode InvalidReference { get; } = Add("IMG1001", "An image reference is malformed");
    public static DiagnosticCode InvalidDigest { get; } = Add("IMG1002", "A digest is malformed");
    public static DiagnosticCode InvalidPlatform { get; } = Add("IMG1003", "A platform is malformed or unknown");
    public static DiagnosticCode InvalidTag { get; } = Add("IMG1004", "A tag is malformed");
    public static DiagnosticCode InvalidRepository { get; } = Add("IMG1005", "A repository name is malformed");
    public static DiagnosticCode InvalidRegistry { get; } = Add("IMG1006", "A registry host is malformed");
    public static DiagnosticCode InvalidValue { get; } = Add("IMG1007", "A property or an item has an invalid value");
    public static DiagnosticCode PublishFolderEmpty { get; } = Add("IMG1008", "The publish folder is missing or empty");
    public static DiagnosticCode InvalidTemplate { get; } = Add("IMG1009", "A tag template can't be filled in");
    public static DiagnosticCode HostTooOld { get; } = Add("IMG1010", "The build tool is too old");
    public static DiagnosticCode FrameworkUnsupported { get; } = Add("IMG1011", "The project's framework can't run in an image");
    public static DiagnosticCode SeveralFrameworks { get; } = Add("IMG1012", "The project targets several frameworks");
    public static DiagnosticCode PlatformsCollide { get; } = Add("IMG1013", "Images of an index have the same platform, or none");
    public static DiagnosticCode IndexImageMissing { get; } = Add("IMG1014", "An image for an index does not exist");
    public static DiagnosticCode PlatformNotRestored { get; } = Add("IMG1015", "The project is not restored for a platform");
    public static DiagnosticCode InvalidTarget { get; } = Add("IMG1016", "An item's target path is not possible");
    public static DiagnosticCode UnknownOwner { get; } = Add("IMG1017", "The base image does not know an owner");
    public static DiagnosticCode ContradictoryCommand { get; } = Add("IMG1018", "The entry point and the command contradict each other");
    public static DiagnosticCode GitFailed { get; } = Add("IMG1019", "git can't read the checkout");
    public static DiagnosticCode PropertyUnknown { get; } = Add("IMG1020", "A property on the command line is probably misspelled");
    public static DiagnosticCode OtherMachine { get; } = Add("IMG1022", "A published file is built for another processor");
    public static DiagnosticCode PlatformConditionIneffective { get; } =
        Add("IMG1025", "A condition on RuntimeIdentifier does not distinguish platforms");
    public static DiagnosticCode SameImage { get; } = Add("IMG1030", "An image would be copied onto itself");
    public static DiagnosticCode PropertyMissing { get; } = Add("IMG1031", "A target needs a property that is not set");
    public static DiagnosticCode PruneUnbounded { get; } = Add("IMG1032", "PruneImages does not know how many versions to keep");
    public static DiagnosticCode PrunePlaceUnclear { get; } = Add("IMG1033", "PruneImages could mean the local store or a registry");
    public static DiagnosticCode PublishedTwice { get; } = Add("IMG1034", "PublishImage and PublishContainer contradict each other");
    public static DiagnosticCode EngineUnsupported { get; } = Add("IMG1035", "The container engine is not supported");
    public static DiagnosticCode NotTakenOver { get; } = Add("IMG1036", "PublishContainer is not handled by this package");
    public static DiagnosticCode FileBasedPlatforms { get; } = Add("IMG1037", "A file-based app is not restored for a platform");
    public static DiagnosticCode ChangesInterrupted { get; } =
        Add("IMG1040", "The build was cancelled while tags were moved or images removed");
    public static DiagnosticCode NameTaken { get; } = Add("IMG1041", "Two projects of a build publish under the same name");
    public static DiagnosticCode AspireResource { get; } = Add("IMG1042", "A resource of an Aspire AppHost can't be published");
    public static DiagnosticCode AspireUnsupported { get; } = Add("IMG1043", "This version of Aspire is not supported");
    public static DiagnosticCode AspireBuildFailed { get; } = Add("IMG1044", "The build of an AppHost's projects failed");
    public static DiagnosticCode RevisionUnknown { get; } = Add("IMG1060", "The last commit that changed an app's inputs is not known");
    public static DiagnosticCode CloneTooShallow { get; } = Add("IMG1061", "The clone's history is too short");

    public static DiagnosticCode SbomIncomplete { get; } = Add("IMG1070", "An SBOM lacks details of a component");
    public static DiagnosticCode SbomLarge { get; } = Add("IMG1071", "An SBOM is too large for some tools");
    public static DiagnosticCode SbomInPublishFolder { get; } = Add("IMG1072", "An SBOM would become part of the next image");

    // IMG1090 to IMG1109: what an image must be like, and what must not be in it.
    public static DiagnosticCode ImageTooLarge { get; } = Add("IMG1090", "The image is larger than allowed");
    public static DiagnosticCode ImageGrew { get; } = Add("IMG1091", "The image grew by more than allowed");
    public static DiagnosticCode BaseNotAllowed { get; } = Add("IMG1092", "The base image is not allowed");
    public static DiagnosticCode LabelMissing { get; } = Add("IMG1093", "The image lacks a required label");
    public static DiagnosticCode RunsAsRoot { get; } = Add("IMG1094", "The app would run as root");
    public static DiagnosticCode PrivateKeyInImage { get; } = Add("IMG1095", "The image contains a private key");
    public static DiagnosticCode CredentialsInImage { get; } = Add("IMG1096", "The image contains passwords or other credentials");
    public static DiagnosticCode DevelopmentFileInImage { get; } =
        Add("IMG1097", "The image contains source files or development settings");
    public static DiagnosticCode VulnerablePackage { get; } = Add("IMG1098", "The image contains a package with a known vulnerability");
    public static DiagnosticCode WritableByAll { get; } = Add("IMG1099", "Every user of the container can change a file");
    public static DiagnosticCode AssemblyTwice { get; } = Add("IMG1100", "The image contains an assembly in several versions");

    // IMG1150 to IMG1155: what a project is migrated from.
    public static DiagnosticCode NothingToMigrate { get; } = Add("IMG1150", "There is neither a Dockerfile nor a container setting");
    public static DiagnosticCode DockerfileUnreadable { get; } = Add("IMG1151", "A Dockerfile can't be read");
    public static DiagnosticCode SeveralDockerfiles { get; } = Add("IMG1152", "There are several Dockerfiles");
    public static DiagnosticCode DockerfileForeign { get; } = Add("IMG1153", "A Dockerfile is not for a .NET app");
    public static DiagnosticCode NoAppToMigrate { get; } = Add("IMG1154", "A project has no image");
    public static DiagnosticCode DockerfileMalformed { get; } = Add("IMG1155", "A Dockerfile is malformed");

    public static DiagnosticCode SpansNotSent { get; } = Add("IMG1160", "The spans of a publish can't be sent");

    public static DiagnosticCode OtherImageNotFound { get; } = Add("IMG1045", "An image to copy files or layers from does not exist");
    public static DiagnosticCode OtherImagePlatformMissing { get; } =
        Add("IMG1046", "An image to copy files or layers from does not exist for the platform");
    public static DiagnosticCode OtherImageInvalid { get; } =
        Add("IMG1047", "An image to copy files or layers from is damaged or is not what it claims to be");
    public static DiagnosticCode OtherImageFileMissing { get; } = Add("IMG1048", "A file can't be copied from another image");

    // IMG2xxx: the base image.
    public static DiagnosticCode BaseNotFound { get; } = Add("IMG2001", "The base image does not exist");
    public static DiagnosticCode BasePlatformMissing { get; } = Add("IMG2002", "The base image does not exist for the platform");
    public static DiagnosticCode BaseInvalid { get; } = Add("IMG2003", "The base image is damaged or is not what it claims to be");
    public static DiagnosticCode BaseNotKept { get; } = Add("IMG2004", "The base image is not in the local store");

    // IMG30xx: layers.
    public static DiagnosticCode UnsafePath { get; } = Add("IMG3001", "A path or link leaves its folder");
    public static DiagnosticCode UnreadableFile { get; } = Add("IMG3002", "A file can't be read, or changed while it was read");
    public static DiagnosticCode DiskFailed { get; } = Add("IMG3003", "A file can't be written");
    public static DiagnosticCode InvalidEntry { get; } = Add("IMG3004", "A file can't be added to a layer");
    public static DiagnosticCode LayerInvalid { get; } = Add("IMG3005", "A layer is damaged or is not what it claims to be");

    // IMG31xx: the local store, its caches and archives.
    public static DiagnosticCode StoreFailed { get; } = Add("IMG3101", "The local store can't be read or written");
    public static DiagnosticCode StoreBusy { get; } = Add("IMG3102", "The local store is locked by another process");
    public static DiagnosticCode StoreDamaged { get; } = Add("IMG3103", "The local store is damaged");
    public static DiagnosticCode StoreIncomplete { get; } = Add("IMG3104", "An image in the local store is incomplete");
    public static DiagnosticCode NotInStore { get; } = Add("IMG3105", "The image is not in the local store");
    public static DiagnosticCode ArchiveInvalid { get; } = Add("IMG3106", "The archive or layout is damaged or not an image");
    public static DiagnosticCode ArchiveFailed { get; } = Add("IMG3107", "An archive can't be read or written");
    public static DiagnosticCode EngineFailed { get; } = Add("IMG3108", "A container engine can't be used");
    public static DiagnosticCode NotInEngine { get; } = Add("IMG3109", "Docker does not have the image");
    public static DiagnosticCode Locked { get; } = Add("IMG3110", "Another process holds a lock");
    public static DiagnosticCode ArchiveTooLarge { get; } = Add("IMG3111", "An archive is too large when decompressed");
    public static DiagnosticCode StoreForeign { get; } = Add("IMG3112", "Other users can change the local store or the package cache");
    public static DiagnosticCode PackagesUnknown { get; } = Add("IMG3113", "The packages that a project was built with can't be read");

    // IMG3120 to IMG3129: the files that deploy an image.
    public static DiagnosticCode DeploymentUnreadable { get; } = Add("IMG3120", "A file of ImageManifest can't be read");
    public static DiagnosticCode DeploymentTemplate { get; } = Add("IMG3121", "A file of ImageManifest is a template");
    public static DiagnosticCode DeploymentWithoutImage { get; } = Add("IMG3122", "No file of ImageManifest names the image");
    public static DiagnosticCode DeploymentTwice { get; } = Add("IMG3123", "Two images would be written to the same place");
    public static DiagnosticCode DeploymentUnchangeable { get; } =
        Add("IMG3124", "A file of ImageManifest names the image in a form that can't be changed");
    public static DiagnosticCode DeploymentUnwritable { get; } = Add("IMG3125", "A file of ImageManifest can't be written");

    // IMG4xxx: what a registry answers, or does not.
    public static DiagnosticCode RegistryUnreachable { get; } = Add("IMG4001", "The registry can't be reached");
    public static DiagnosticCode RegistryRefused { get; } = Add("IMG4002", "The registry refuses the request");
    public static DiagnosticCode RegistryFailed { get; } = Add("IMG4003", "The registry fails");
    public static DiagnosticCode RegistryProtocol { get; } = Add("IMG4004", "The registry violates the specification");
    public static DiagnosticCode ContentMismatch { get; } = Add("IMG4005", "Content differs from its digest or size");
    public static DiagnosticCode RegistryNotFound { get; } = Add("IMG4006", "The registry does not have the content");
    public static DiagnosticCode RegistryDenied { get; } = Add("IMG4007", "The registry denies access");
    public static DiagnosticCode CertificateUntrusted { get; } = Add("IMG4008", "The registry's certificate is not trusted");
    public static DiagnosticCode TooLarge { get; } = Add("IMG4009", "Content is too large for the registry, or from it");
    public static DiagnosticCode TagImmutable { get; } = Add("IMG4010", "The tag exists and can't be moved");
    public static DiagnosticCode RateLimited { get; } = Add("IMG4011", "The registry limits the rate of requests");
    public static DiagnosticCode BlobMissing { get; } = Add("IMG4012", "The registry lost a blob that it had confirmed");
    public static DiagnosticCode FormatObsolete { get; } = Add("IMG4013", "The image format is obsolete");
    public static DiagnosticCode UnsafeRedirect { get; } = Add("IMG4014", "The registry redirects to an unsafe address");
    public static DiagnosticCode DeleteUnsupported { get; } = Add("IMG4015", "The registry does not allow deleting");
    public static DiagnosticCode NetworkNeeded { get; } = Add("IMG4016", "The network is needed, but ImageOffline forbids it");
    public static DiagnosticCode AttachmentsUnlisted { get; } = Add("IMG4017", "The registry can't list the attachments of an image");
    public static DiagnosticCode AttachmentInvalid { get; } = Add("IMG4018", "An attachment is damaged or is not what it claims to be");
    public static DiagnosticCode BaseUnnamed { get; } = Add("IMG4020", "An image does not name its base");
    public static DiagnosticCode NamedBaseGone { get; } = Add("IMG4021", "The base that an image names no longer exists");
    public static DiagnosticCode NotRebased { get; } = Add("IMG4022", "An image can't be moved to another base without a build");
    public static DiagnosticCode BaseOutdated { get; } = Add("IMG4023", "Images have an outdated base");
    public static DiagnosticCode BaseUnsupported { get; } = Add("IMG4024", "Images have a base that gets no more updates");
    public static DiagnosticCode DriftUnknown { get; } = Add("IMG4025", "It is not known whether an image's base is current");
    public static DiagnosticCode TagMoved { get; } = Add("IMG4026", "Someone else moved a tag in the meantime");

    // IMG4030 to IMG4032: proof by rebuilding.
    public static DiagnosticCode NotReproduced { get; } = Add("IMG4030", "An image differs from what this build produces");
    public static DiagnosticCode NotComparable { get; } = Add("IMG4031", "An image can't be compared with a build");
    public static DiagnosticCode CheckoutUnsuited { get; } = Add("IMG4032", "The checkout is not the image's commit");

    public static DiagnosticCode RepositoryEmpty { get; } = Add("IMG4150", "A repository has no images to show");
    public static DiagnosticCode RepositoryDamaged { get; } = Add("IMG4151", "Tags of a repository point at content that can't be read");
    public static DiagnosticCode SymbolsMissing { get; } = Add("IMG4160", "An image has no debug symbols attached");

    // IMG5xxx: signing in.
    public static DiagnosticCode Unauthorized { get; } = Add("IMG5001", "The registry requires credentials, or does not accept them");
    public static DiagnosticCode CredentialsUnusable { get; } = Add("IMG5002", "Stored credentials or their helper can't be used");
    public static DiagnosticCode UntrustedRealm { get; } = Add("IMG5003", "The registry asks to send credentials to an untrusted host");
    public static DiagnosticCode CacheKeyUnusable { get; } = Add("IMG5010", "The cache key can't be used");
    public static DiagnosticCode CredentialsAmbiguous { get; } =
        Add("IMG5011", "Credentials in the environment could be for more than one registry");
    public static DiagnosticCode PlainTextCredentials { get; } = Add("IMG5012", "A password would be sent in plain text");
    public static DiagnosticCode IdentityRefused { get; } = Add("IMG5020", "A cloud does not accept the identity of the build");
    public static DiagnosticCode IdentityUnusable { get; } = Add("IMG5021", "The identity of the build can't be used");
    public static DiagnosticCode IdentityAnswerUnusable { get; } = Add("IMG5022", "An identity service gives an invalid answer");

    // IMG6xxx: operating system packages.
    public static DiagnosticCode PackageUnknown { get; } = Add("IMG6001", "An operating system package does not exist");
    public static DiagnosticCode PackageConflict { get; } = Add("IMG6002", "Operating system packages can't be installed together");
    public static DiagnosticCode PackageSourceUntrusted { get; } = Add("IMG6003", "A package source is not signed by a trusted key");
    public static DiagnosticCode PackageTampered { get; } = Add("IMG6004", "A package differs from its hash");
    public static DiagnosticCode PackageGone { get; } = Add("IMG6005", "A package no longer exists in its source");
    public static DiagnosticCode PackageToolMissing { get; } = Add("IMG6006", "Packages can't be selected without apt");
    public static DiagnosticCode PackageBaseUnsupported { get; } = Add("IMG6007", "Packages can't be added to the base image");
    public static DiagnosticCode PackageInvalid { get; } = Add("IMG6008", "A package is damaged or has content that is not allowed");
    public static DiagnosticCode PackageSourceFailed { get; } = Add("IMG6009", "A package source can't be read");
    public static DiagnosticCode PackageLockOutdated { get; } =
        Add("IMG6010", "The lock file is missing, damaged or does not match the project");
    public static DiagnosticCode LibraryMissing { get; } = Add("IMG6011", "The image lacks a library that the app needs");
    public static DiagnosticCode PackageSourceRefused { get; } = Add("IMG6012", "A package source of the base image is refused");

    // IMG6016 to IMG6024: whom an image is signed by, and signing it.
    public static DiagnosticCode TrustUnusable { get; } = Add("IMG6016", "A key, certificate or trust policy can't be used");
    public static DiagnosticCode Unsigned { get; } = Add("IMG6017", "The image is not signed");
    public static DiagnosticCode SignatureInvalid { get; } =
        Add("IMG6018", "A signature is damaged, for another image, or made with another key");
    public static DiagnosticCode SignerUntrusted { get; } = Add("IMG6019", "The image's signer is not trusted");
    public static DiagnosticCode SignatureExpired { get; } = Add("IMG6020", "A signature or its certificate has expired");
    public static DiagnosticCode SignatureUnsupported { get; } = Add("IMG6021", "This kind of signature is not supported");
    public static DiagnosticCode SignatureUnknown { get; } = Add("IMG6022", "It is not known on this machine who signed the base image");
    public static DiagnosticCode SigningKeyUnusable { get; } = Add("IMG6023", "The signing key can't be used");
    public static DiagnosticCode NotSigned { get; } = Add("IMG6024", "An image could not be signed in its registry");
    public static DiagnosticCode SignerFailed { get; } = Add("IMG6030", "A signing program can't be used, or fails");

    // IMG6040 to IMG6046: signing without a key, and what is attested.
    public static DiagnosticCode IdentityTokenMissing { get; } = Add("IMG6040", "There is no identity token to sign with");
    public static DiagnosticCode IdentityTokenUnusable { get; } = Add("IMG6041", "An identity token can't be used to sign");
    public static DiagnosticCode CertificateRefused { get; } = Add("IMG6042", "There is no signing certificate for the build");
    public static DiagnosticCode LogRefused { get; } = Add("IMG6043", "A signature is not in the public log");
    public static DiagnosticCode TimeStampRefused { get; } = Add("IMG6044", "A signature could not be time-stamped");
    public static DiagnosticCode ClockOff { get; } = Add("IMG6045", "This machine's clock is wrong");
    public static DiagnosticCode AttestationUnmet { get; } = Add("IMG6046", "The attestations of an image do not meet the requirements");

    // IMG6050 and IMG6051: signing for Notation.
    public static DiagnosticCode SigningCertificatesUnusable { get; } = Add("IMG6050", "Certificates can't be used to sign for Notation");
    public static DiagnosticCode NotationPluginFailed { get; } = Add("IMG6051", "A notation plugin can't be used, or fails");

    // IMG9xxx: errors of this package.
    public static DiagnosticCode Unexpected { get; } = Add("IMG9001", "Something failed unexpectedly");

    public static IReadOnlyList<DiagnosticCode> All => Known;

    private static DiagnosticCode Add(string id, string title)
    {
        var code = new DiagnosticCode(id, title);
        Known.Add(code);
        return code;
    }
}

/// <summary>A stable code for something a user can cause and fix, such as <c>IMG2001</c>.</summary>
/// <remarks>
/// <c>IMG1xxx</c> input, <c>IMG2xxx</c> base image, <c>IMG3xxx</c> layers and store, <c>IMG4xxx</c> registry, <c>IMG5xxx</c> credentials,
/// <c>IMG6xxx</c> operating system packages and signatures, <c>IMG9xxx</c> errors of this package. All are in
/// <see cref="DiagnosticCodes"/>.
/// </remarks>
/// <param name="Title">What it means, in a few words: the heading of its entry in the troubleshooting page.</param>
internal sealed record DiagnosticCode(string Id, string Title)
{
    /// <summary>The anchor of this code's entry in <c>docs/troubleshooting.md</c>.</summary>
    public string Anchor => Id.ToLowerInvariant();

    public override string ToString() => Id;
}

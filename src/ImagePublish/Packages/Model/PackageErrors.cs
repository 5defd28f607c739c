using ImagePublish.Common;
using ImagePublish.Diagnostics;

namespace ImagePublish.Packages.Model;

internal static class PackageErrors
{
    public static ImagePublishException Invalid(string package, string why, Exception? cause = null) =>
        new(
            DiagnosticCodes.PackageInvalid,
            $"The package '{Text.Sanitize(package)}' can't be put into the image: {Text.Sanitize(why).TrimEnd('.')}. Leave "
                + "it out, or take it from another source.",
            cause
        );

    public static ImagePublishException NoApt(Exception? cause = null) =>
        new(
            DiagnosticCodes.PackageToolMissing,
            "Operating system packages are chosen by apt, which this machine does not have. Publish on Debian or Ubuntu (or "
                + "in WSL or CI), or run 'dotnet msbuild -t:UpdateImageLock' there once and commit image.lock.json, from "
                + "which every machine can publish.",
            cause
        );

    public static ImagePublishException Offline(string what) =>
        new(DiagnosticCodes.NetworkNeeded, $"{what}, and ImageOffline is true. Publish once while there is a network.");

    /// <summary>What to do where a package of the lock file is gone.</summary>
    public const string GoneAdvice =
        "Update the lock: dotnet msbuild -t:UpdateImageLock. To publish what it says, let ImagePackageSource name a source that keeps old "
        + "versions.";

    public static ImagePublishException Gone(OsPackage package, string? newer) =>
        new(
            DiagnosticCodes.PackageGone,
            $"The package '{package}' of the lock file is gone from its "
                + $"source{(newer is null ? "" : $", which has {Text.Sanitize(newer)} now")}. {GoneAdvice}"
        );

    public static ImagePublishException CacheFailed(string path, Exception cause) =>
        new(
            DiagnosticCodes.DiskFailed,
            $"'{Text.Sanitize(path)}' can't be written: {Text.Sanitize(cause.Message)} Set ImagePackageCache to a folder that can.",
            cause
        );
}

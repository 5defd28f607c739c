using ImagePublish.Diagnostics;
using ImagePublish.Oci;

namespace ImagePublish.Packages;

/// <summary>What can go wrong with packages, each told in one line.</summary>
internal static class PackageErrors
{
    public static ImagePublishException Invalid(string package, string why, Exception? cause = null) => new(
        DiagnosticCodes.PackageInvalid, $"The package '{Text.Shown(package)}' can not be put into the image: {Text.Shown(why).TrimEnd('.')}. Leave it out, or take it from another source.", cause);

    public static ImagePublishException NoApt(Exception? cause = null) => new(
        DiagnosticCodes.PackageToolMissing,
        "Operating system packages are chosen by apt, which this machine does not have. Publish on Debian or Ubuntu (or in WSL or CI), use a base image that has the packages, or set ImageDefaultPackages=false and remove ImagePackage.",
        cause);

    public static ImagePublishException CacheFailed(string path, Exception cause) => new(
        DiagnosticCodes.DiskFailed, $"'{Text.Shown(path)}' can not be written: {Text.Shown(cause.Message)} Set ImagePackageCache to a folder that can.", cause);
}

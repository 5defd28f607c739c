using System.Text.RegularExpressions;

namespace ImagePublish.Packages.Dependencies;

/// <summary>Which package of Debian or Ubuntu has a library: what .NET apps and the native parts of NuGet packages need. Most names follow
/// a rule, these don't.</summary>
internal static partial class LibraryPackages
{
    private static readonly Dictionary<string, string> Known = new(StringComparer.Ordinal)
    {
        ["libc.so.6"] = "libc6",
        ["libm.so.6"] = "libc6",
        ["libdl.so.2"] = "libc6",
        ["libpthread.so.0"] = "libc6",
        ["librt.so.1"] = "libc6",
        ["libresolv.so.2"] = "libc6",
        ["libutil.so.1"] = "libc6",
        ["libstdc++.so.6"] = "libstdc++6",
        ["libgcc_s.so.1"] = "libgcc-s1",
        ["libz.so.1"] = "zlib1g",
        ["libssl.so.3"] = "libssl3",
        ["libcrypto.so.3"] = "libssl3",
        ["libpng16.so.16"] = "libpng16-16",
        ["libjpeg.so.62"] = "libjpeg62-turbo",
        ["libjpeg.so.8"] = "libjpeg-turbo8",
        ["libX11.so.6"] = "libx11-6",
        ["libX11-xcb.so.1"] = "libx11-xcb1",
        ["libGL.so.1"] = "libgl1",
        ["libEGL.so.1"] = "libegl1",
        ["libgobject-2.0.so.0"] = "libglib2.0-0",
        ["libgio-2.0.so.0"] = "libglib2.0-0",
        ["libgmodule-2.0.so.0"] = "libglib2.0-0",
        ["libgdiplus.so.0"] = "libgdiplus",
        ["libnss3.so"] = "libnss3",
        ["libnssutil3.so"] = "libnss3",
        ["libsmime3.so"] = "libnss3",
        ["libnspr4.so"] = "libnspr4",
        ["libatk-1.0.so.0"] = "libatk1.0-0",
        ["libatk-bridge-2.0.so.0"] = "libatk-bridge2.0-0",
        ["libgssapi_krb5.so.2"] = "libgssapi-krb5-2",
        ["libk5crypto.so.3"] = "libk5crypto3",
        ["libldap-2.5.so.0"] = "libldap-2.5-0",
        ["libldap.so.2"] = "libldap2",
        ["libbz2.so.1.0"] = "libbz2-1.0",
        ["libpcap.so.0.8"] = "libpcap0.8",
        ["libaio.so.1"] = "libaio1",
        ["libpangocairo-1.0.so.0"] = "libpangocairo-1.0-0",
        ["libgdk_pixbuf-2.0.so.0"] = "libgdk-pixbuf-2.0-0",
        ["libxml2.so.2"] = "libxml2",
        ["liblz4.so.1"] = "liblz4-1",
        ["libnsl.so.1"] = "libnsl2",
    };

    /// <summary>P/Invokes whose library is the system's, under the names that .NET libraries use. Others bring theirs along, or do
    /// without.</summary>
    private static readonly Dictionary<string, string> Invoked = new(StringComparer.Ordinal)
    {
        ["libgdiplus"] = "libgdiplus.so.0",
        ["libfontconfig"] = "libfontconfig.so.1",
        ["libfontconfig.so.1"] = "libfontconfig.so.1",
        ["libfreetype.so.6"] = "libfreetype.so.6",
        ["libodbc.so.2"] = "libodbc.so.2",
        ["libusb-1.0"] = "libusb-1.0.so.0",
        ["libasound"] = "libasound.so.2",
        ["libasound.so.2"] = "libasound.so.2",
    };

    public static string? Find(string library)
    {
        if (Known.TryGetValue(library, out var package))
            return package;
        if (library.StartsWith("ld-linux", StringComparison.Ordinal))
            return "libc6";
        // libfontconfig.so.1 → libfontconfig1, libpango-1.0.so.0 → libpango-1.0-0, libicuuc.so.72 → libicu72
        if (Icu().Match(library) is { Success: true } icu)
            return "libicu" + icu.Groups[1].Value;
        return Versioned().Match(library) is { Success: true } parts
            ? parts.Groups[1].Value.ToLowerInvariant().Replace('_', '-')
                + (char.IsAsciiDigit(parts.Groups[1].Value[^1]) ? "-" : "")
                + parts.Groups[2].Value
            : null;
    }

    /// <summary>The library that a P/Invoke means, if it is one of the system's.</summary>
    public static string? Invokes(string name) => Invoked.GetValueOrDefault(name);

    [GeneratedRegex(@"^libicu[a-z]+\.so\.([0-9]+)$")]
    private static partial Regex Icu();

    [GeneratedRegex(@"^(lib[A-Za-z0-9_+.-]+)\.so\.([0-9]+)$")]
    private static partial Regex Versioned();
}

using System.Globalization;
using ImagePublish.Common;
using ImagePublish.Images;
using ImagePublish.Packages.Model;
using ImagePublish.Tasks.Shared;

namespace ImagePublish.Tasks;

/// <summary>Reads which operating system packages an image gets.</summary>
internal sealed class PackageRequestReader(PublishImageInputs inputs)
{
    private const int AppId = 1654;

    public PackageRequest? Read(DotNetApp app)
    {
        var hosts = ReadHosts();
        var names = inputs.Packages.SelectMany(item => InputParser.Words(item.ItemSpec)).Distinct(StringComparer.Ordinal).ToList();
        if (names.Find(name => !IsName(name)) is { } wrong)
            throw InputParser.Invalid("ImagePackage", wrong, "expected a Debian package's name, such as libfontconfig1");
        var runtime = ReadNeeds(app);
        if (names.Count == 0 && runtime is null)
            return null;
        return new PackageRequest
        {
            Names = names,
            Runtime = runtime,
            CacheFolder = InputParser.Optional(inputs.PackageCache) is { } folder
                ? StoreFolder.ClaimPackages(inputs.ResolvePath(folder), inputs.StoreShared)
                : StoreFolder.Packages,
            Source = ReadSource(),
            TrustedSourceHosts = hosts,
            HasApt = Programs.Find("apt-get") is not null,
            IsOffline = inputs.Offline,
            Time = TimeProvider.System,
        };
    }

    public static IReadOnlyList<KeyValuePair<string, string>> BaseEnvironment(DotNetApp app) =>
        [
            new("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
            new("APP_UID", AppId.ToString(CultureInfo.InvariantCulture)),
            new("DOTNET_RUNNING_IN_CONTAINER", "true"),
            .. app.UsesAspNet ? [new("ASPNETCORE_HTTP_PORTS", "8080")] : Array.Empty<KeyValuePair<string, string>>(),
        ];

    // Only an app that brings its own runtime can run on nothing, and then only with the system's libraries.
    private RuntimeNeeds? ReadNeeds(DotNetApp app)
    {
        var isWanted = !bool.TryParse(InputParser.Optional(inputs.DefaultPackages), out var wanted) || wanted;
        return
            isWanted
            && InputParser.Optional(inputs.Base) == "scratch"
            && (app.IsSelfContained || app.IsAot)
            && app.RuntimeIdentifier is { IsMusl: false, Platform.Os: "linux" }
            ? new RuntimeNeeds(!app.IsGlobalizationInvariant, !app.IsAot)
            : null;
    }

    private string[] ReadHosts()
    {
        var hosts = InputParser.Words(inputs.PackageSourceHosts);
        return Array.Find(hosts, host => !IsHost(host)) is { } wrong
            ? throw InputParser.Invalid(
                "ImagePackageSourceHosts",
                wrong,
                "expected hosts without http:// and path, each perhaps with a port, such as mirror.example.com"
            )
            : hosts;
    }

    private static bool IsHost(string text) =>
        Uri.CheckHostName(text) != UriHostNameType.Unknown
        || (
            Uri.TryCreate($"http://{text}/", UriKind.Absolute, out var uri)
            && uri.Authority.Equals(text, StringComparison.OrdinalIgnoreCase)
        );

    private string? ReadSource()
    {
        if (InputParser.Optional(inputs.PackageSource) is not { } source)
            return null;
        if (
            source.StartsWith("deb ", StringComparison.Ordinal)
            || source.StartsWith("deb\t", StringComparison.Ordinal)
            || source.StartsWith("deb[", StringComparison.Ordinal)
            || source.Contains("Types:", StringComparison.Ordinal)
        )
            return source;
        var file = inputs.ResolvePath(source);
        return File.Exists(file)
            ? file
            : throw InputParser.Invalid(
                "ImagePackageSource",
                source,
                "expected a file of apt sources, a line that begins with 'deb ', or a paragraph with 'Types:'"
            );
    }

    // https://www.debian.org/doc/debian-policy/ch-controlfields.html#source
    private static bool IsName(string name) =>
        name.Length >= 2
        && char.IsAsciiLetterOrDigit(name[0])
        && name.All(letter => char.IsAsciiLetterLower(letter) || char.IsAsciiDigit(letter) || letter is '+' or '-' or '.');
}

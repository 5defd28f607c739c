using System.Text.RegularExpressions;
using ImagePublish.Common;
using ImagePublish.Diagnostics;

namespace ImagePublish.Packages.Model;

/// <summary>The addresses that packages come from: a package's path below one of them is the same in every mirror, so a lock file records
/// it.</summary>
/// <remarks><see href="https://manpages.debian.org/sources.list.5">sources.list(5)</see>.</remarks>
internal sealed partial record PackageSources(IReadOnlyList<string> Addresses)
{
    private const string SourcesPrefix = "etc/apt/sources";
    private const string MachineFolder = "/etc/apt";
    private const string Pool = "/pool/";

    /// <summary>The base image that names them; null where the user or this machine does.</summary>
    public string? BaseImage { get; init; }

    /// <summary>The sources for a request: those that it names, else the base image's own, else this machine's.</summary>
    public static PackageSources Create(PackageRequest request, PackageBase? packageBase)
    {
        if (request.Source is { } source)
            return Read([File.Exists(source) ? ReadFile(source) : source]);
        var own = packageBase is null ? [] : ReadTyped(packageBase.Name, packageBase.ReadSources());
        return own.Count > 0
            ? new([.. own.SelectMany(source => source.Addresses).Distinct(StringComparer.Ordinal)]) { BaseImage = packageBase!.Name }
            : Read(MachineFiles().Select(ReadFile));
    }

    /// <summary>The sources of a base image, checked.</summary>
    /// <exception cref="ImagePublishException"><c>IMG6012</c>: one can't be used.</exception>
    public static IReadOnlyList<AptSource> ReadTyped(string image, IReadOnlyDictionary<string, string> files)
    {
        // A keyring that it names but does not have is this machine's of the same name, which this machine trusts for something already.
        var reader = new AptSourceReader(image, path => files.ContainsKey(path) || File.Exists("/" + path));
        var ordered = files
            .Where(file => file.Key.StartsWith(SourcesPrefix, StringComparison.Ordinal))
            .OrderBy(file => file.Key, StringComparer.Ordinal);
        return
        [
            .. ordered.SelectMany(file =>
                Path.GetExtension(file.Key) switch
                {
                    ".sources" => reader.ReadParagraphs(file.Value),
                    ".list" => reader.ReadLines(file.Value),
                    _ => [],
                }
            ),
        ];
    }

    /// <summary>Whether this machine's own sources are on the host and port of an address: then it asks there anyway.</summary>
    public static bool IsOfMachine(Uri address) =>
        Read(MachineFiles().Select(ReadFile))
            .Addresses.Any(own =>
                Uri.TryCreate(own, UriKind.Absolute, out var uri) && uri.Host == address.Host && uri.Port == address.Port
            );

    public string PathOf(string location)
    {
        var source = Addresses
            .Where(address => location.StartsWith(address + "/", StringComparison.Ordinal))
            .MaxBy(address => address.Length);
        var path =
            source is not null ? location[(source.Length + 1)..]
            : location.IndexOf(Pool, StringComparison.Ordinal) is var pool and >= 0 ? location[(pool + 1)..]
            : location[(location.LastIndexOf('/') + 1)..];
        return Uri.UnescapeDataString(path.StartsWith("./", StringComparison.Ordinal) ? path[2..] : path);
    }

    public static string LocationOf(string address, string path) =>
        $"{address}/{string.Join('/', path.Split('/').Select(Uri.EscapeDataString))}";

    public static bool IsPath(string path) =>
        path.Length > 0 && path.Split('/').All(part => part is not ("" or "." or "..")) && PlainPath().IsMatch(path);

    public static string ReadFile(string path) => Guarded(path, File.ReadAllText);

    /// <summary>Reads what belongs to a source of this machine, so that a failure is not taken for one of the cache.</summary>
    /// <exception cref="ImagePublishException"><c>IMG6009</c>: it can't be read.</exception>
    public static T Guarded<T>(string path, Func<string, T> read)
    {
        try
        {
            return read(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new ImagePublishException(
                DiagnosticCodes.PackageSourceFailed,
                $"The package source '{Text.Sanitize(path)}' can't be read: {Text.Sanitize(exception.Message).TrimEnd('.')}. "
                    + "Let the user who builds read it, or name another in ImagePackageSource.",
                exception
            );
        }
    }

    public static IEnumerable<string> MachineFiles()
    {
        var folder = Path.Combine(MachineFolder, "sources.list.d");
        var parts = Directory.Exists(folder)
            ? Guarded(folder, Directory.GetFiles)
                .Where(file => Path.GetExtension(file) is ".list" or ".sources")
                .Order(StringComparer.Ordinal)
            : Enumerable.Empty<string>();
        return parts.Prepend(Path.Combine(MachineFolder, "sources.list")).Where(File.Exists);
    }

    private static PackageSources Read(IEnumerable<string> texts) =>
        new([.. texts.SelectMany(ReadOne).Select(address => address.TrimEnd('/')).Distinct(StringComparer.Ordinal)]);

    private static IEnumerable<string> ReadOne(string text)
    {
        foreach (Match line in OneLine().Matches(text))
            yield return line.Groups["address"].Value;
        foreach (var paragraph in ControlParagraph.ReadAll(text))
        {
            if (
                paragraph["URIs"] is { } addresses
                && paragraph["Enabled"] is not ("no" or "false")
                && paragraph["Types"]?.Split((char[]?)null).Contains("deb") == true
            )
            {
                foreach (var address in addresses.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries))
                    yield return address;
            }
        }
    }

    [GeneratedRegex(@"^[ \t]*deb[ \t]+(\[[^\]\n]*\][ \t]*)?(?<address>[^\s\[]+)[ \t]+\S", RegexOptions.Multiline)]
    private static partial Regex OneLine();

    [GeneratedRegex(@"^[A-Za-z0-9._~+:=@/-]+$")]
    private static partial Regex PlainPath();
}

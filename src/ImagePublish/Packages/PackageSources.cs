using System.Text.RegularExpressions;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Packages.Deb;

namespace ImagePublish.Packages;

/// <summary>The addresses that packages come from: where a package lies below one of them is the same in every mirror, and so what a lock file tells.</summary>
/// <remarks><see href="https://manpages.debian.org/sources.list.5">sources.list(5)</see>.</remarks>
/// <param name="Addresses">Each without a separator at its end, in the order in which they are asked.</param>
internal sealed partial record PackageSources(IReadOnlyList<string> Addresses)
{
    private const string MachineFolder = "/etc/apt";
    private const string Pool = "/pool/";

    /// <summary>The sources for a request: those that it names, else the base image's own, else this machine's.</summary>
    /// <param name="request">The request.</param>
    /// <param name="packageBase">What lies below; null for nothing.</param>
    /// <returns>The sources; none where nobody knows any.</returns>
    public static PackageSources Of(PackageRequest request, PackageBase? packageBase)
    {
        if (request.Source is { } source)
            return Read([File.Exists(source) ? ReadFile(source) : source]);
        var own = packageBase?.ReadSources() ?? new Dictionary<string, string>();
        return own.Count > 0
            ? Read(own.Where(file => file.Key.StartsWith("etc/apt/sources", StringComparison.Ordinal)).OrderBy(file => file.Key, StringComparer.Ordinal).Select(file => file.Value))
            : Read(MachineFiles().Select(ReadFile));
    }

    /// <summary>Where a package lies below a source.</summary>
    /// <param name="location">Its whole address.</param>
    /// <returns>The path.</returns>
    public string PathOf(string location)
    {
        var source = Addresses.Where(address => location.StartsWith(address + "/", StringComparison.Ordinal)).MaxBy(address => address.Length);
        var path = source is not null ? location[(source.Length + 1)..] : location.IndexOf(Pool, StringComparison.Ordinal) is var pool and >= 0 ? location[(pool + 1)..] : location[(location.LastIndexOf('/') + 1)..];
        return Uri.UnescapeDataString(path.StartsWith("./", StringComparison.Ordinal) ? path[2..] : path);
    }

    /// <summary>The whole address of a package below a source.</summary>
    /// <param name="address">The source.</param>
    /// <param name="path">The package's path.</param>
    /// <returns>The address, escaped.</returns>
    public static string LocationOf(string address, string path) => $"{address}/{string.Join('/', path.Split('/').Select(Uri.EscapeDataString))}";

    /// <summary>Whether a path, as a lock file tells one, stays below a source.</summary>
    /// <param name="path">The path.</param>
    /// <returns>Whether it does.</returns>
    public static bool IsPath(string path) => path.Length > 0 && path.Split('/').All(part => part is not ("" or "." or "..")) && PlainPath().IsMatch(path);

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
                $"The package source '{Text.Shown(path)}' can't be read: {Text.Shown(exception.Message).TrimEnd('.')}. Let the user who builds read it, or name another in ImagePackageSource.",
                exception);
        }
    }

    private static IEnumerable<string> MachineFiles()
    {
        var folder = Path.Combine(MachineFolder, "sources.list.d");
        var parts = Directory.Exists(folder)
            ? Guarded(folder, Directory.GetFiles).Where(file => Path.GetExtension(file) is ".list" or ".sources").Order(StringComparer.Ordinal)
            : Enumerable.Empty<string>();
        return parts.Prepend(Path.Combine(MachineFolder, "sources.list")).Where(File.Exists);
    }

    private static PackageSources Read(IEnumerable<string> texts) => new([.. texts.SelectMany(ReadOne).Select(address => address.TrimEnd('/')).Distinct(StringComparer.Ordinal)]);

    private static IEnumerable<string> ReadOne(string text)
    {
        foreach (Match line in OneLine().Matches(text))
            yield return line.Groups["address"].Value;
        foreach (var paragraph in ControlParagraph.ReadAll(text))
        {
            if (paragraph["URIs"] is { } addresses && paragraph["Enabled"] is not ("no" or "false") && paragraph["Types"]?.Split((char[]?)null).Contains("deb") == true)
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

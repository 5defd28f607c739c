using System.Text.RegularExpressions;

namespace ImagePublish.Tasks.Tests.Support;

/// <summary>What <c>/etc/os-release</c> says of this machine, and where it gets its packages.</summary>
public sealed record OperatingSystemRelease(string Id, string Codename)
{
    public static OperatingSystemRelease Read()
    {
        var fields = File.ReadLines("/etc/os-release")
            .Select(line => line.Split('=', 2))
            .Where(parts => parts.Length == 2)
            .ToDictionary(parts => parts[0], parts => parts[1].Trim('"'));
        return new OperatingSystemRelease(fields["ID"], fields["VERSION_CODENAME"]);
    }

    /// <summary>The machine's own source lists, less those of other vendors: the ones that name the release's suite.</summary>
    public IReadOnlyList<string> PackageSources()
    {
        var suite = new Regex($@"^[^#\n]*(?<![\w-]){Codename}(?![\w-])", RegexOptions.Multiline);
        string[] files = ["/etc/apt/sources.list", .. Directory.EnumerateFiles("/etc/apt/sources.list.d").Order(StringComparer.Ordinal)];
        return [.. files.Where(file => File.Exists(file) && suite.IsMatch(File.ReadAllText(file)))];
    }
}

using ImagePublish.Tasks.Shared;
using ImagePublish.Trust;

namespace ImagePublish.Tasks;

/// <summary>Reads whose signatures images must have: <c>ImageBaseTrust</c>, and the metadata <c>Trust</c> of items.</summary>
internal static class BaseTrustReader
{
    private const string None = "none";

    /// <summary>Reads files of keys, certificates and policies, and <c>Microsoft</c>; null where nothing is asked for.</summary>
    /// <exception cref="Diagnostics.ImagePublishException"><c>IMG6016</c>: one of them can't be used.</exception>
    public static TrustPolicy? Read(string? value, Func<string, string> fullPath) => Read("ImageBaseTrust", value, fullPath);

    /// <param name="name">What the value is of, for messages.</param>
    public static TrustPolicy? Read(string name, string? value, Func<string, string> fullPath)
    {
        // Paths have blanks in them: only ';' divides.
        var entries = (value ?? "").Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        if (entries.Length == 0 || entries is [var only] && only.Equals(None, StringComparison.OrdinalIgnoreCase))
            return null;
        return new TrustPolicy([.. InputParser.Named(name, entries, all => all.Select(entry => ReadOne(entry, fullPath)).ToList())]);
    }

    private static TrustRule ReadOne(string entry, Func<string, string> fullPath) =>
        entry.Equals(MicrosoftTrust.Name, StringComparison.OrdinalIgnoreCase) ? MicrosoftTrust.Rule : TrustFile.Read(fullPath(entry));
}

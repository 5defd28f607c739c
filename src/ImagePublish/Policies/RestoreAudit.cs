using System.Text.Json;
using ImagePublish.Common;
using ImagePublish.Diagnostics;

namespace ImagePublish.Policies;

/// <summary>What NuGet's audit said when the project was restored: it is in <c>project.assets.json</c>, as NU1901 to NU1904.</summary>
/// <param name="ArePackagesKnown">Whether it is known of each published file which package it is from: not where files are merged.</param>
internal sealed record RestoreAudit(string AssetsFile, string Framework, bool ArePackagesKnown)
{
    private const int MaxSize = 256 << 20;

    private static readonly string[] Codes = ["NU1901", "NU1902", "NU1903", "NU1904"];

    /// <summary>The packages with known vulnerabilities that are in the image.</summary>
    /// <param name="published">The packages that published files are from.</param>
    public IReadOnlyList<Finding> Find(IEnumerable<string> published)
    {
        try
        {
            var file = new FileInfo(AssetsFile);
            if (!file.Exists || file.Length > MaxSize)
                return [];
            var content = File.ReadAllBytes(AssetsFile);
            // Most restores have none, and then nothing is parsed.
            return content.AsSpan().IndexOf("\"NU190"u8) < 0 ? [] : Read(content, published.ToHashSet(StringComparer.OrdinalIgnoreCase));
        }
        catch (Exception exception)
            when (exception is IOException or UnauthorizedAccessException or JsonException or InvalidOperationException)
        {
            return [];
        }
    }

    private List<Finding> Read(byte[] content, HashSet<string> published)
    {
        using var assets = JsonDocument.Parse(content, new JsonDocumentOptions { MaxDepth = 32 });
        if (!assets.RootElement.TryGetProperty("logs", out var logs))
            return [];
        var found =
            from log in logs.EnumerateArray()
            where Codes.Contains(TextOf(log, "code")) && IsOfFramework(log)
            let package = TextOf(log, "libraryId")
            where !ArePackagesKnown || published.Contains(package)
            let said = TextOf(log, "message")
            orderby package, said
            select new Finding(
                DiagnosticCodes.VulnerablePackage,
                $"{Text.Sanitize(said).TrimEnd('.')}. It is in the image. Update {Text.Sanitize(package)}, or what depends on it; "
                    + "if the image is not affected, name the advisory in NuGetAuditSuppress and restore again."
            );
        return [.. found.DistinctBy(finding => finding.Message)];
    }

    private bool IsOfFramework(JsonElement log) =>
        !log.TryGetProperty("targetGraphs", out var graphs)
        || graphs
            .EnumerateArray()
            .Any(graph => graph.GetString()?.Split('/')[0].Equals(Framework, StringComparison.OrdinalIgnoreCase) == true);

    private static string TextOf(JsonElement log, string name) => log.TryGetProperty(name, out var text) ? text.GetString() ?? "" : "";
}

using System.Text.RegularExpressions;

namespace ImagePublish.AppHost;

/// <summary>Files of Aspire.Hosting.Docker and Aspire.Hosting.Kubernetes in which an image is named by a placeholder.</summary>
internal static class WrittenFiles
{
    private static readonly string[] Names = ["docker-compose.yaml", ".env", "values.yaml"];

    public static IEnumerable<string> Find(string folder) => Names.Select(name => Path.Combine(folder, name)).Where(File.Exists);

    /// <summary>
    /// Docker Compose: <c>image: "${API_IMAGE}"</c>, and <c>API_IMAGE=</c> in <c>.env</c>. Helm: <c>api_image: "api:latest"</c> in
    /// <c>values.yaml</c>.
    /// </summary>
    public static string Pin(string text, string resource, string reference)
    {
        var name = Regex.Escape(resource.Replace('-', '_'));
        var inCompose = Replace(text, $$"""(?<before>^\s*image:\s*["']?)\$\{{{name.ToUpperInvariant()}}_IMAGE\}""", reference);
        var inVariables = Replace(inCompose, $"(?<before>^{name.ToUpperInvariant()}_IMAGE=)(?=\\r?$)", reference);
        var ofHelm = $"""(?<before>^\s+{name}_image:\s*["']?){Regex.Escape(resource)}:latest(?=["']?\s*$)""";
        return Replace(inVariables, ofHelm, reference);
    }

    private static string Replace(string text, string pattern, string reference) =>
        Regex.Replace(
            text,
            pattern,
            found => found.Groups["before"].Value + reference,
            RegexOptions.Multiline | RegexOptions.CultureInvariant,
            TimeSpan.FromSeconds(10)
        );
}

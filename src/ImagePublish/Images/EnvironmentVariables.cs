using System.Globalization;

namespace ImagePublish.Images;

/// <summary>Environment variables as image configs hold them, <c>NAME=value</c>.</summary>
internal static class EnvironmentVariables
{
    /// <summary>The inherited variables with others added; one of the same name replaces the inherited one.</summary>
    public static IReadOnlyList<string> Merge(IReadOnlyList<string> inherited, IReadOnlyList<KeyValuePair<string, string>> own)
    {
        var merged = new OrderedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var entry in inherited)
            merged[NameOf(entry)] = entry;
        foreach (var (name, value) in own)
            merged[name] = $"{name}={value}";
        return [.. merged.Values];
    }

    /// <summary>The variables that are not inherited as they are, in their order.</summary>
    public static IReadOnlyList<KeyValuePair<string, string>> OwnOf(IReadOnlyList<string> variables, IReadOnlyList<string> inherited) =>
        [
            .. variables
                .Where(entry => !inherited.Contains(entry) && entry.Length > NameOf(entry).Length)
                .Select(entry => KeyValuePair.Create(NameOf(entry), entry[(NameOf(entry).Length + 1)..])),
        ];

    public static string? Find(IReadOnlyList<string> variables, string name)
    {
        var entry = variables.LastOrDefault(entry => NameOf(entry) == name);
        return entry is null || entry.Length <= name.Length + 1 ? null : entry[(name.Length + 1)..];
    }

    /// <summary>The ports that ASP.NET's variables name.</summary>
    /// <remarks>
    /// <see href="https://learn.microsoft.com/aspnet/core/fundamentals/servers/kestrel/endpoints">Kestrel's endpoints</see>: its own
    /// settings win over URLs, and those over ports.
    /// </remarks>
    public static IEnumerable<ExposedPort> Ports(IReadOnlyList<string> variables)
    {
        var endpoints = variables.Where(entry => IsEndpoint(NameOf(entry))).Select(entry => entry[(NameOf(entry).Length + 1)..]).ToList();
        if (endpoints.Count > 0)
            return endpoints.Select(url => PortOfUrl(url.Trim())).OfType<ExposedPort>();
        if (Any(variables, "URLS") is { } urls)
            return Split(urls).Select(PortOfUrl).OfType<ExposedPort>();
        string[] names = ["HTTP_PORTS", "HTTPS_PORTS"];
        return names
            .SelectMany(name => Split(Any(variables, name) ?? ""))
            .Select(text => ExposedPort.TryParse(text, null, out var port) ? port : null)
            .OfType<ExposedPort>();
    }

    /// <summary>The first port on which an app of ASP.NET answers http, by the same rules.</summary>
    public static int? HttpPort(IReadOnlyList<string> variables)
    {
        var urls = variables.Where(entry => IsEndpoint(NameOf(entry))).Select(entry => entry[(NameOf(entry).Length + 1)..].Trim()).ToList();
        if (urls.Count == 0 && Any(variables, "URLS") is { } list)
            urls.AddRange(Split(list));
        if (urls.Count > 0)
            return urls.Find(url => url.StartsWith("http:", StringComparison.OrdinalIgnoreCase)) is { } url ? PortOfUrl(url)?.Number : null;
        return Split(Any(variables, "HTTP_PORTS") ?? "") is [var first, ..] && ExposedPort.TryParse(first, null, out var port)
            ? port.Number
            : null;
    }

    private static string? Any(IReadOnlyList<string> variables, string name) =>
        Find(variables, "ASPNETCORE_" + name) ?? Find(variables, "DOTNET_" + name) ?? Find(variables, name);

    // Kestrel__Endpoints__Http__Url, with or without the prefix of the host's settings.
    private static bool IsEndpoint(string name)
    {
        var parts = name.Split("__");
        return parts.Length == 4
            && Is(parts[0].Replace("ASPNETCORE_", "", StringComparison.OrdinalIgnoreCase), "Kestrel")
            && Is(parts[1], "Endpoints")
            && Is(parts[3], "Url");

        static bool Is(string text, string word) => text.Equals(word, StringComparison.OrdinalIgnoreCase);
    }

    private static string NameOf(string entry)
    {
        // Windows has variables whose names begin with '='.
        var separator = entry.IndexOf('=', Math.Min(1, entry.Length));
        return separator < 0 ? entry : entry[..separator];
    }

    private static string[] Split(string list) => list.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    // The host may be '*' or '+', which no URI parser takes.
    private static ExposedPort? PortOfUrl(string url)
    {
        var scheme = url.IndexOf("://", StringComparison.Ordinal);
        if (scheme < 0)
            return null;
        var authority = url[(scheme + 3)..].Split('/')[0];
        var colon = authority.LastIndexOf(':');
        var hasPort = colon >= 0 && !authority.EndsWith(']');
        var text =
            hasPort ? authority[(colon + 1)..]
            : url.StartsWith("https:", StringComparison.OrdinalIgnoreCase) ? "443"
            : "80";
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number is > 0 and <= 65535
            ? new ExposedPort(number)
            : null;
    }
}

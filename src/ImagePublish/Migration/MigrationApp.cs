using System.Text.RegularExpressions;
using ImagePublish.Dockerfiles;
using ImagePublish.Images;

namespace ImagePublish.Migration;

/// <summary>What a translation needs to know of the project.</summary>
internal sealed record MigrationApp(DotNetApp App)
{
    /// <summary>The folder of the project, which relative paths of items begin at.</summary>
    public required string ProjectFolder { get; init; }

    /// <summary>The build context, which paths of <c>COPY</c> begin at.</summary>
    public required string ContextFolder { get; init; }

    /// <summary>Properties of the project that a Dockerfile's <c>dotnet publish</c> often sets, as they are now.</summary>
    public IReadOnlyDictionary<string, string> Properties { get; init; } = new Dictionary<string, string>();
}

/// <summary>A base image by its name: what is known of Microsoft's.</summary>
/// <param name="Kind">Such as <c>aspnet</c>; null for images of others.</param>
/// <param name="Version">Of .NET, as far as the tag says it.</param>
/// <param name="Family">What follows the version in the tag.</param>
internal sealed partial record KnownBase(string Name, string? Kind, string Version, string Family, bool IsPinned)
{
    private static readonly IReadOnlyDictionary<string, string> Nothing = new Dictionary<string, string>();

    private static readonly string[] WebServers = ["nginx", "httpd", "caddy", "nginx-unprivileged"];

    public bool IsAlpine => Family.StartsWith("alpine", StringComparison.Ordinal) || Repository == "alpine";

    /// <summary>Whether it is a base without a shell.</summary>
    public bool HasNoShell =>
        Family.Contains("chiseled", StringComparison.Ordinal)
        || Family.Contains("distroless", StringComparison.Ordinal)
        || Name == "scratch"
        || Name.Contains("distroless", StringComparison.Ordinal);

    /// <summary>Whether its packages are those of Debian or Ubuntu.</summary>
    public bool HasApt => !IsAlpine && !HasNoShell && !IsWindows && !Family.Contains("azurelinux", StringComparison.Ordinal);

    public bool IsWindows =>
        Family.StartsWith("nanoserver", StringComparison.Ordinal) || Family.StartsWith("windowsservercore", StringComparison.Ordinal);

    public bool IsWebServer => WebServers.Contains(Repository);

    /// <summary>Whether it has the account <c>app</c>, and names it in <c>APP_UID</c>.</summary>
    public bool HasApp => Kind is not null && Major >= 8;

    /// <summary>What Microsoft's images say in their variables, from .NET 8 on.</summary>
    public IReadOnlyDictionary<string, string> Variables =>
        HasApp
            ? new Dictionary<string, string>
            {
                ["APP_UID"] = "1654",
                ["ASPNETCORE_HTTP_PORTS"] = "8080",
                ["DOTNET_RUNNING_IN_CONTAINER"] = "true",
            }
            : Nothing;

    private int Major => int.TryParse(Version.Split('.')[0], out var major) ? major : 0;

    private string Repository => ImagePaths.Name(Name.Split('@')[0].Split(':')[0]);

    public static KnownBase Read(string name)
    {
        if (Microsoft().Match(name) is not { Success: true } match)
            return new KnownBase(name, null, "", "", false);
        var version = match.Groups["version"].Value;
        return new KnownBase(
            name,
            match.Groups["kind"].Value,
            MajorMinor().Match(version).Value,
            match.Groups["family"].Value,
            match.Groups["digest"].Length > 0 || version.Count(one => one == '.') > 1
        );
    }

    [GeneratedRegex(
        @"^(mcr\.microsoft\.com/dotnet/(core/|nightly/)?|microsoft/dotnet/)(?<kind>aspnet|runtime|runtime-deps|sdk)"
            + @"(:(?<version>\d[^-@]*(-(preview|rc)[^-@]*)?)?"
            + @"(-?(?<family>[a-z][a-z0-9.-]{0,60}))?)?(?<digest>@.+)?$"
    )]
    private static partial Regex Microsoft();

    [GeneratedRegex(@"^\d+(\.\d+)?")]
    private static partial Regex MajorMinor();
}

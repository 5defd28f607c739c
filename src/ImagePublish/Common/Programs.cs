using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;

namespace ImagePublish.Common;

/// <summary>Which secrets of the environment a program needs.</summary>
internal enum ProgramSecrets
{
    /// <summary>None: git, apt, the desktop's opener.</summary>
    None,

    /// <summary>Those that a container engine's client reaches its engine with.</summary>
    Engine,

    /// <summary>All but this product's own: a credential helper signs in to a cloud with what it finds there.</summary>
    CredentialHelper,
}

/// <summary>How a program is started. Its streams are redirected; no shell is involved.</summary>
internal sealed record ProgramStart(string File, IReadOnlyList<string> Arguments)
{
    /// <summary>Which secrets it gets.</summary>
    public ProgramSecrets Secrets { get; init; }

    /// <summary>The folder that it starts in; null for this process's.</summary>
    public string? WorkingDirectory { get; init; }

    /// <summary>Variables that are set, or with null removed.</summary>
    public IReadOnlyDictionary<string, string?> Variables { get; init; } = new Dictionary<string, string?>();
}

/// <summary>Finds and starts other programs. Nothing else in this product does either.</summary>
/// <remarks>
/// <see cref="Process.Start(ProcessStartInfo)"/> also looks in the current folder, which is the project's during a build, and hands over the whole environment. Here, only absolute folders of the PATH count,
/// for the program and for what it starts itself, and secrets that it has no use for are removed from its environment.
/// </remarks>
internal static partial class Programs
{
    private const string PathVariable = "PATH";

    private static readonly string[] OwnSecrets =
    [
        "IMAGE_CACHE_KEY",
        "DOCKER_AUTH_CONFIG",
        "DOTNET_CONTAINER_REGISTRY_PWORD",
        "DOTNET_CONTAINER_PUSH_REGISTRY_PWORD",
        "DOTNET_CONTAINER_PULL_REGISTRY_PWORD",
        "SDK_CONTAINER_REGISTRY_PWORD",
    ];

    private static readonly string[] EngineSecrets = ["CONTAINER_PASSPHRASE", "CONTAINER_SSHKEY"];
    private static readonly string[] Addresses = ["CONTAINER_HOST", "DOCKER_HOST"];

    /// <summary>Finds a program in the absolute folders of a PATH.</summary>
    public static string? Find(string program, string? path, bool isWindows)
    {
        string[] names = isWindows ? [program + ".exe", program + ".cmd"] : [program];
        return Folders(path, isWindows).SelectMany(folder => names.Select(name => Path.Combine(folder, name))).FirstOrDefault(IsProgram);
    }

    /// <summary>Finds a program in the absolute folders of this process's PATH.</summary>
    public static string? Find(string program) =>
        Find(
            program,
            new ProcessStartInfo().Environment.TryGetValue(PathVariable, out var path) ? path : null,
            OperatingSystem.IsWindows()
        );

    /// <summary>Starts a program.</summary>
    /// <exception cref="System.ComponentModel.Win32Exception">It can't be started.</exception>
    public static Process Start(ProgramStart start)
    {
        ArgumentNullException.ThrowIfNull(start);
        if (!Path.IsPathFullyQualified(start.File))
            throw new ArgumentException("The program's path must be absolute.", nameof(start));
        var info = new ProcessStartInfo(start.File, start.Arguments)
        {
            CreateNoWindow = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            StandardErrorEncoding = Encoding.UTF8,
            StandardOutputEncoding = Encoding.UTF8,
            UseShellExecute = false,
            WorkingDirectory = start.WorkingDirectory ?? "",
        };
        var environment = EnvironmentOf(start);
        info.Environment.Clear();
        foreach (var (name, value) in environment)
            info.Environment[name] = value;
        return Process.Start(info)!;
    }

    /// <summary>Opens a web page with the desktop's browser.</summary>
    /// <exception cref="System.ComponentModel.Win32Exception">It can't be started.</exception>
    public static bool OpenPage(Uri page)
    {
        ArgumentNullException.ThrowIfNull(page);
        if (page.Scheme is not ("https" or "http"))
            throw new ArgumentException("Only web pages are opened.", nameof(page));
        if (OperatingSystem.IsWindows())
        {
            // Windows looks up the browser by the scheme, not on the PATH.
            using var opened = Process.Start(new ProcessStartInfo(page.AbsoluteUri) { UseShellExecute = true });
            return true;
        }

        if (Find(OperatingSystem.IsMacOS() ? "open" : "xdg-open") is not { } opener)
            return false;
        using var opening = Start(new ProgramStart(opener, [page.AbsoluteUri]));
        opening.StandardInput.Close();
        return true;
    }

    /// <summary>The environment that a program gets.</summary>
    internal static IReadOnlyDictionary<string, string?> EnvironmentOf(ProgramStart start)
    {
        var environment = new Dictionary<string, string?>(
            OperatingSystem.IsWindows() ? StringComparer.OrdinalIgnoreCase : StringComparer.Ordinal
        );
        foreach (
            var (name, value) in new ProcessStartInfo().Environment.Where(variable =>
                IsHandedOver(variable.Key, variable.Value, start.Secrets)
            )
        )
            environment[name] = value;
        if (environment.TryGetValue(PathVariable, out var path))
            environment[PathVariable] = string.Join(Path.PathSeparator, Folders(path, OperatingSystem.IsWindows()));
        foreach (var (name, value) in start.Variables)
        {
            if (value is null)
                environment.Remove(name);
            else
                environment[name] = value;
        }

        return environment;
    }

    /// <summary>Whether a program gets a variable.</summary>
    internal static bool IsHandedOver(string name, string? value, ProgramSecrets secrets)
    {
        if (
            name.StartsWith("IMAGE_REGISTRY_", StringComparison.OrdinalIgnoreCase)
            || OwnSecrets.Contains(name, StringComparer.OrdinalIgnoreCase)
        )
            return false;
        if (
            secrets == ProgramSecrets.CredentialHelper
            || (secrets == ProgramSecrets.Engine && EngineSecrets.Contains(name, StringComparer.Ordinal))
        )
            return true;
        if (SecretName().IsMatch(name))
            return false;
        // Programs reach the network through proxies, passwords and all.
        var mayHavePassword =
            name.EndsWith("_PROXY", StringComparison.OrdinalIgnoreCase)
            || (secrets == ProgramSecrets.Engine && Addresses.Contains(name, StringComparer.Ordinal));
        return mayHavePassword || value is null || !AddressWithPassword().IsMatch(value);
    }

    private static IEnumerable<string> Folders(string? path, bool isWindows) =>
        (path ?? "").Split(isWindows ? ';' : ':').Select(folder => folder.Trim('"')).Where(Path.IsPathFullyQualified);

    private static bool IsProgram(string path) =>
        File.Exists(path)
        && (
            OperatingSystem.IsWindows()
            || (File.GetUnixFileMode(path) & (UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute)) != 0
        );

    // GITHUB_TOKEN, SYSTEM_ACCESSTOKEN, CI_JOB_JWT_V2, AWS_SECRET_ACCESS_KEY, AZURE_DEVOPS_EXT_PAT, NuGetPackageSourceCredentials_acme, VSS_NUGET_EXTERNAL_FEED_ENDPOINTS, ...
    [GeneratedRegex(
        @"(PASSWORD|PASSWD|PASSPHRASE|SECRET|CREDENTIAL|APIKEY|CONNECTION_?STRING)|TOKENS?(_|\z)|(\A|_)(AUTH|KEY|PAT|PASS)\z|_PWD\z|(\A|_)JWT(_|\z)|FEED_ENDPOINTS\z",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant
    )]
    private static partial Regex SecretName();

    [GeneratedRegex(@"://[^/?#\s@]*:[^/?#\s]*@")]
    private static partial Regex AddressWithPassword();
}

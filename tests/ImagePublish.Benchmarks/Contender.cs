using ImagePublish.Tasks.Tests.Support;

namespace ImagePublish.Benchmarks;

/// <summary>Where a contender's image goes and what it is based on.</summary>
/// <param name="Registry">The target registry.</param>
/// <param name="Repository">The repository; in a solution the prefix of every project's.</param>
/// <param name="Base">The base image.</param>
internal sealed record Target(string Registry, string Repository, string Base);

/// <summary>One of those that are compared: a way to publish, with a copy of the sources and with caches of its own.</summary>
internal abstract class Contender(string name, string folder)
{
    private const string SystemAuthorities = "/etc/ssl/certs";

    public static readonly string[] Tags = ["1.4.2", "latest"];

    public string Name => name;

    /// <summary>The copy of the sources.</summary>
    public string Sources { get; } = Directory.CreateDirectory(Path.Combine(folder, name, "src")).FullName;

    /// <summary>Folders of authorities that it trusts besides the system's.</summary>
    public IReadOnlyList<string> Authorities { get; set; } = [];

    /// <summary>The secret by which its builds believe each other's layers; null for none.</summary>
    public string? CacheSecret { get; set; }

    /// <summary>Whether its builds are those of a CI system.</summary>
    public bool IsCi { get; set; }

    /// <summary>What else is on the command line of each publish.</summary>
    public IReadOnlyList<string> Switches { get; set; } = [];

    /// <summary>What it keeps from one build to the next for itself.</summary>
    protected string Caches { get; } = Path.Combine(folder, name, "caches");

    /// <summary>The command that publishes a project or a solution.</summary>
    public CommandLine Publish(string project, Target target) =>
        DotNet([
            "publish",
            Path.Combine(Sources, project),
            "-c",
            "Release",
            "-nologo",
            "-v:quiet",
            .. CiArguments,
            .. Arguments(target),
            .. Switches,
        ]);

    public CommandLine DotNet(params IReadOnlyList<string> arguments)
    {
        Directory.CreateDirectory(Caches);
        var command = DotNetCommand.Create(Sources, arguments);
        var environment = new Dictionary<string, string?>(command.Environment)
        {
            ["TMPDIR"] = Caches,
            ["UseSharedCompilation"] = "false",
            // Users' builds have it.
            ["DOTNET_TieredPGO"] = null,
        };
        if (Authorities.Count > 0)
            environment["SSL_CERT_DIR"] = string.Join(':', [.. Authorities, SystemAuthorities]);
        if (CacheSecret is not null)
            environment["IMAGE_CACHE_KEY"] = CacheSecret;
        return command with { Environment = environment };
    }

    /// <summary>As on a machine that never published before.</summary>
    public void ClearCaches()
    {
        if (Directory.Exists(Caches))
            Directory.Delete(Caches, recursive: true);
    }

    /// <summary>Makes the sources ready: adds what the contender needs.</summary>
    /// <param name="projects">The projects that are published, below <see cref="Sources"/>.</param>
    public virtual void Adapt(IEnumerable<string> projects) { }

    private IEnumerable<string> CiArguments => IsCi ? ["-p:ContinuousIntegrationBuild=true"] : [];

    protected abstract IEnumerable<string> Arguments(Target target);
}

/// <summary><c>dotnet publish</c> without an image: what both others are measured above.</summary>
internal sealed class PlainPublish(string folder) : Contender("plain", folder)
{
    protected override IEnumerable<string> Arguments(Target target) => [];
}

/// <summary>The .NET SDK's own container publishing. Its cache is in the temporary folder.</summary>
internal sealed class SdkContainers(string folder) : Contender("sdk", folder)
{
    protected override IEnumerable<string> Arguments(Target target) =>
        [
            "-t:PublishContainer",
            "-p:ImageTakeOver=false",
            $"-p:ContainerRegistry={target.Registry}",
            $"-p:ContainerRepository={target.Repository}",
            $"-p:ContainerBaseImage={target.Base}",
            // The quotes are part of the argument: the SDK reads an escaped list as one tag.
            $"-p:ContainerImageTags=\"{string.Join(';', Tags)}\"",
        ];
}

/// <summary>This package, as it is packed, from a folder feed.</summary>
internal sealed class ThisPackage(string folder, PackedPackage package) : Contender("ours", folder)
{
    public override void Adapt(IEnumerable<string> projects)
    {
        File.WriteAllText(
            Path.Combine(Sources, "nuget.config"),
            $"""<configuration><packageSources><add key="benchmark" value="{package.Feed}" /></packageSources></configuration>"""
        );
        foreach (var project in projects.Select(name => Path.Combine(Sources, name)))
        {
            var reference =
                $"""<ItemGroup><PackageReference Include="{PackedPackage.Id}" Version="{package.Version}" PrivateAssets="all" /></ItemGroup>""";
            File.WriteAllText(project, File.ReadAllText(project).Replace("</Project>", $"{reference}</Project>", StringComparison.Ordinal));
        }
    }

    protected override IEnumerable<string> Arguments(Target target) =>
        [
            "-p:PublishImage=true",
            $"-p:ImageRegistry={target.Registry}",
            $"-p:ImageRepository={target.Repository}",
            // Microsoft's image, as most apps have it, which the registry mirrors.
            "-p:ImageBase=mcr.microsoft.com/dotnet/aspnet:10.0",
            $"-p:ImageBaseRegistry={target.Base.Split('/')[0]}",
            $"-p:ImageTags={string.Join("%3B", Tags)}",
            $"-p:ImageStore={Path.Combine(Caches, "store")}",
        ];
}

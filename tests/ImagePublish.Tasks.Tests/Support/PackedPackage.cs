using System.Reflection;

namespace ImagePublish.Tasks.Tests.Support;

/// <summary>
/// The packages as <c>dotnet pack</c> makes them of what is built here, in a folder feed, under a version that no other run has. Leave
/// nothing behind.
/// </summary>
public sealed class PackedPackage : IAsyncDisposable
{
    public const string Id = "ImagePublish.Tasks";

    /// <summary>The one for Aspire's AppHosts; only in the feed after <see cref="AddAspireAsync"/>.</summary>
    public const string AspireId = "ImagePublish.Aspire.Hosting";

    /// <summary>The one with templates; only in the feed after <see cref="AddTemplatesAsync"/>.</summary>
    public const string TemplatesId = "ImagePublish.Templates";

    private readonly TemporaryFolder folder = new();

    private PackedPackage() { }

    /// <summary>Below the product's version, so that a float such as <c>1.0.0</c> never takes it by accident.</summary>
    public string Version { get; } = $"1.0.0-test.{Environment.ProcessId}.{Guid.NewGuid():n}";

    /// <summary>The folder feed.</summary>
    public string Feed => folder["feed"];

    public string File => Path.Combine(Feed, $"{Id}.{Version}.nupkg");

    /// <summary>Packs without building: what the tests' own build has made is what is tested.</summary>
    public static async Task<PackedPackage> PackAsync(CancellationToken cancellationToken)
    {
        var package = new PackedPackage();
        await package.AddAsync(Id, cancellationToken);
        return package;
    }

    public Task AddAspireAsync(CancellationToken cancellationToken) => AddAsync(AspireId, cancellationToken);

    /// <summary>Returns the package's file.</summary>
    public async Task<string> AddTemplatesAsync(CancellationToken cancellationToken)
    {
        await AddAsync(TemplatesId, cancellationToken);
        return Path.Combine(Feed, $"{TemplatesId}.{Version}.nupkg");
    }

    private async Task AddAsync(string id, CancellationToken cancellationToken)
    {
        var configuration = typeof(PackedPackage).Assembly.GetCustomAttribute<AssemblyConfigurationAttribute>()!.Configuration;
        var pack = DotNetCommand.Create(
            RepositoryRoot.Path,
            "pack",
            Path.Combine("src", id, $"{id}.csproj"),
            "--no-build",
            "--nologo",
            $"--configuration={configuration}",
            $"--output={Feed}",
            $"-p:PackageVersion={Version}",
            $"-p:NuspecOutputPath={folder["nuspec"]}/{id}/"
        );
        await pack.SucceedAsync(cancellationToken);
    }

    public ValueTask DisposeAsync()
    {
        // NuGet unpacks it where it keeps all packages of this user.
        foreach (var restored in new[] { Id, AspireId }.Select(id => Path.Combine(GlobalPackages, id.ToLowerInvariant(), Version)))
        {
            if (Directory.Exists(restored))
                Directory.Delete(restored, recursive: true);
        }

        folder.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>Where NuGet keeps the packages of this user.</summary>
    public static string GlobalPackages =>
        Environment.GetEnvironmentVariable("NUGET_PACKAGES")
        ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
}

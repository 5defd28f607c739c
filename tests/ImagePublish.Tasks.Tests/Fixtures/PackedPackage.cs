using System.Reflection;

namespace ImagePublish.Tasks.Tests.Fixtures;

/// <summary>
/// The package as <c>dotnet pack</c> makes it of what is built here, in a folder feed, under a version that no other run has. Leaves
/// nothing behind.
/// </summary>
public sealed class PackedPackage : IAsyncDisposable
{
    public const string Id = "ImagePublish.Tasks";

    private readonly TemporaryFolder folder = new();

    private PackedPackage() { }

    /// <summary>Below the product's version, so that a float such as <c>0.1.0</c> never takes it by accident.</summary>
    public string Version { get; } = $"0.1.0-test.{Environment.ProcessId}.{Guid.NewGuid():n}";

    /// <summary>The folder feed.</summary>
    public string Feed => folder["feed"];

    public string File => Path.Combine(Feed, $"{Id}.{Version}.nupkg");

    /// <summary>Packs without building: what the tests' own build has made is what is tested.</summary>
    public static async Task<PackedPackage> PackAsync(CancellationToken cancellationToken)
    {
        var package = new PackedPackage();
        var configuration = typeof(PackedPackage).Assembly.GetCustomAttribute<AssemblyConfigurationAttribute>()!.Configuration;
        var pack = DotNetCommand.Create(
            RepositoryRoot.Path,
            "pack",
            Path.Combine("src", Id, $"{Id}.csproj"),
            "--no-build",
            "--nologo",
            $"--configuration={configuration}",
            $"--output={package.Feed}",
            $"-p:PackageVersion={package.Version}",
            $"-p:NuspecOutputPath={package.folder["nuspec"]}/"
        );
        await pack.SucceedAsync(cancellationToken);
        return package;
    }

    public ValueTask DisposeAsync()
    {
        // NuGet unpacks it where it keeps all packages of this user.
        var restored = Path.Combine(GlobalPackages, Id.ToLowerInvariant(), Version);
        if (Directory.Exists(restored))
            Directory.Delete(restored, recursive: true);
        folder.Dispose();
        return ValueTask.CompletedTask;
    }

    private static string GlobalPackages =>
        Environment.GetEnvironmentVariable("NUGET_PACKAGES")
        ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
}

using System.Reflection;
using ImagePublish.Tasks.Tests.Fixtures;

namespace ImagePublish.Tasks.Tests.EndToEnd;

/// <summary>Packing this repository's own package.</summary>
public sealed class PackTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    [ReliabilityCase(
        "Projects",
        "this package is packed with `NUGET_PACKAGES` without a slash at its end, or with the compiler in a fallback folder",
        "the compiler is found; where it is not, one error says what is missing"
    )]
    public async Task TheCompilerIsFoundInEveryPackageFolder()
    {
        using var folder = new TemporaryFolder();
        var configuration = typeof(PackTests).Assembly.GetCustomAttribute<AssemblyConfigurationAttribute>()!.Configuration;
        var root = (await MSBuild("", "-getProperty:NuGetPackageRoot").SucceedAsync(Cancelled)).Output.Trim().TrimEnd('/');

        var inRoot = await MSBuild(root, "-t:_FindReadyToRunFiles", "-getProperty:_ReadyToRunCompiler").SucceedAsync(Cancelled);
        var inFallback = await MSBuild($"{folder.Path};{root}", "-t:_FindReadyToRunFiles", "-getProperty:_ReadyToRunCompiler")
            .SucceedAsync(Cancelled);
        var nowhere = await MSBuild(folder.Path, "-t:_FindReadyToRunFiles").RunAsync(Cancelled);

        Assert.True(File.Exists(inRoot.Output.Trim()), inRoot.Output);
        Assert.Equal(inRoot.Output, inFallback.Output);
        Assert.Matches(
            $"error : The ReadyToRun compiler microsoft\\.netcore\\.app\\.crossgen2\\..* is in none of the package folders {folder.Path}",
            nowhere.All
        );

        // The first folder is the root, as in what a restore writes.
        CommandLine MSBuild(string folders, params string[] arguments)
        {
            var command = DotNetCommand.Create(
                RepositoryRoot.Path,
                [
                    "msbuild",
                    Path.Combine("src", PackedPackage.Id, $"{PackedPackage.Id}.csproj"),
                    "-nologo",
                    "-tl:off",
                    "-p:NoBuild=true",
                    "-p:ImageReadyToRun=true",
                    $"-p:Configuration={configuration}",
                    .. arguments,
                ]
            );
            return command with
            {
                Environment = new Dictionary<string, string?>(command.Environment)
                {
                    ["NuGetPackageRoot"] = folders.Split(';')[0],
                    ["NuGetPackageFolders"] = folders,
                },
            };
        }
    }
}

using System.IO.Compression;
using System.Security.Cryptography;
using ImagePublish.Tasks.Tests.Support;

namespace ImagePublish.Tasks.Tests.EndToEnd;

/// <summary>The package asks for nothing and leaves nothing behind where no image is published.</summary>
public sealed class PassiveTests(Peers peers)
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task WithoutTheSwitchAProjectPublishesTheSameBytesAndLoadsNothing()
    {
        using var workspace = await peers.WorkspaceAsync();
        var project = await workspace.NewAsync("web", "Quiet", Cancelled);
        var without = Hashes(project, (await project.PublishAsync(Cancelled)).EnsureSuccess());
        foreach (var folder in new[] { "bin", "obj" })
            Directory.Delete(Path.Combine(project.Folder, folder), recursive: true);

        var build = (await project.WithImagePublish().PublishAsync(Cancelled, BuildOutput.Log)).EnsureSuccess();
        var details = await build.DetailsAsync(Cancelled);

        Assert.Equal(without, Hashes(project, build));
        Assert.Empty(build.Messages);
        Assert.DoesNotMatch("(?m)^.*(Assembly loaded|Using \").*ImagePublish", details);
        Assert.DoesNotMatch("Target \"_(PrepareImage|DeliverImage|CheckImageHost)", details);
        Assert.False(File.Exists(Path.Combine(project.Folder, "obj/Release/net10.0/ImagePublish.json")));
    }

    [Fact]
    public async Task ThePackageHasNoDependenciesAndNothingThatReachesAConsumersOutput()
    {
        var package = await peers.PackageAsync();
        await using var zip = await ZipFile.OpenReadAsync(package.File, Cancelled);
        using var reader = new StreamReader(await zip.GetEntry($"{PackedPackage.Id}.nuspec")!.OpenAsync(Cancelled));
        var specification = await reader.ReadToEndAsync(Cancelled);
        var files = zip.Entries.Select(entry => entry.FullName).ToList();

        Assert.DoesNotContain("<dependency ", specification, StringComparison.Ordinal);
        Assert.Contains("<developmentDependency>true</developmentDependency>", specification, StringComparison.Ordinal);
        Assert.DoesNotContain(files, file =>
            file.StartsWith("lib/", StringComparison.Ordinal)
            || file.StartsWith("ref/", StringComparison.Ordinal)
            || file.StartsWith("runtimes/", StringComparison.Ordinal)
        );
        Assert.Contains("tasks/net10.0/ImagePublish.Tasks.dll", files);
        Assert.Contains("tasks/net10.0/ImagePublish.dll", files);
        Assert.DoesNotContain(files, file => file.Contains("Microsoft.Build", StringComparison.Ordinal));
        Assert.All(new[] { "build", "buildTransitive", "buildMultiTargeting" }, folder =>
            Assert.Contains($"{folder}/{PackedPackage.Id}.targets", files)
        );
    }

    [Theory]
    [InlineData(@"C:\Users\a b\troubleshooting.md", "file:///C:/Users/a%20b/troubleshooting.md")]
    [InlineData("/home/me/troubleshooting.md", "file:///home/me/troubleshooting.md")]
    public async Task TheLinkOfAnErrorIsValidOnEverySystem(string file, string link)
    {
        var targets = Path.Combine(RepositoryRoot.Path, "build", "ImagePublish.Tasks.Commands.targets");
        var read = await DotNetCommand
            .Create("", "msbuild", targets, "-nologo", "-getProperty:_ImageHelpPage", $"-p:_ImageHelpFile={file}")
            .SucceedAsync(Cancelled);

        Assert.Equal(link, read.Output.Trim());
    }

    private static SortedDictionary<string, string> Hashes(TestProject project, BuildOutput build)
    {
        var folder = Path.Combine(project.Folder, build.PublishFolder);
        return new SortedDictionary<string, string>(
            Directory
                .GetFiles(folder, "*", SearchOption.AllDirectories)
                .ToDictionary(
                    file => Path.GetRelativePath(folder, file),
                    file => Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(file)))
                ),
            StringComparer.Ordinal
        );
    }
}

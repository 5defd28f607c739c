using ImagePublish.Tasks.Tests.Support;

namespace ImagePublish.Tasks.Tests.EndToEnd;

/// <summary>What is known of packages before a project is compiled, of a real project.</summary>
public sealed class EarlyLayersTests(Peers peers)
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task ThePackagesThatAreBegunAreThoseThatArePublished()
    {
        using var workspace = await peers.WorkspaceAsync();
        // A private package is compiled with, and not published.
        var project = workspace
            .ScratchApp("Early")
            .PackageReference("Newtonsoft.Json", "13.0.4")
            .Item("PackageReference", "FluentValidation", ("Version", "12.2.0"), ("PrivateAssets", "all"))
            .Content("Program.cs", "System.Console.WriteLine(typeof(Newtonsoft.Json.JsonConvert));")
            // However busy the machine is, what is begun ends before.
            .Element("""<Target Name="CompileSlowly" BeforeTargets="CoreCompile"><Exec Command="sleep 2" /></Target>""");

        var output = await project.Command("publish", ["-p:PublishImage=true", "-v:d"]).SucceedAsync(Cancelled);

        Assert.Contains("Layer 'packages' was built while the project was", output.Output, StringComparison.Ordinal);
        Assert.True(File.Exists(Path.Combine(project.Folder, "bin/Release/net10.0/publish/Newtonsoft.Json.dll")));
        Assert.False(File.Exists(Path.Combine(project.Folder, "bin/Release/net10.0/publish/FluentValidation.dll")));
    }
}

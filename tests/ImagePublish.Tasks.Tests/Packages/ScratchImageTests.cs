using ImagePublish.Tasks.Tests.Fixtures;

namespace ImagePublish.Tasks.Tests.Packages;

/// <summary>An app on nothing but packages that the real apt chose, in a real Docker.</summary>
public sealed class ScratchImageTests(Peers peers)
{
    private const string Program = """
        Console.WriteLine(TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin").GetUtcOffset(new DateTime(2026, 7, 1)));
        Console.WriteLine(new DateTime(2026, 3, 1).ToString("MMMM", new System.Globalization.CultureInfo("de-DE")));
        using var roots = new System.Security.Cryptography.X509Certificates.X509Store(
            System.Security.Cryptography.X509Certificates.StoreName.Root, System.Security.Cryptography.X509Certificates.StoreLocation.LocalMachine);
        roots.Open(System.Security.Cryptography.X509Certificates.OpenFlags.ReadOnly);
        Console.WriteLine(roots.Certificates.Count > 50);
        Console.WriteLine(Environment.UserName);
        File.WriteAllText(Path.GetTempFileName(), "x");
        """;

    [Fact]
    public async Task ASelfContainedAppHasCulturesTimeZonesAuthoritiesAndAUserWithoutRights()
    {
        var cancelled = TestContext.Current.CancellationToken;
        using var workspace = await peers.WorkspaceAsync();
        var docker = await peers.DockerAsync();
        var project = workspace.Empty("Nothing").WithImagePublish().Property("OutputType", "Exe").Property("SelfContained", "true")
            .Property("RuntimeIdentifier", "linux-$(NETCoreSdkPortableRuntimeIdentifier.Split('-')[1])").Property("ImplicitUsings", "enable")
            .Property("ImageBase", "scratch").Property("ImageArchive", workspace["nothing.tar"]).Content("Program.cs", Program);

        var published = await project.PublishAsync(cancelled, "-p:PublishImage=true");
        published.EnsureSuccess();
        await docker.LoadAsync(workspace["nothing.tar"], cancelled);
        var run = await docker.RunAsync(cancelled, "--read-only", "--tmpfs=/tmp", "nothing:1.0.0");

        Assert.Equal("02:00:00\nMärz\nTrue\napp\n", run.All);
    }
}

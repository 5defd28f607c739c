using System.Text.Json;
using ImagePublish.Tasks.Tests.EndToEnd;
using ImagePublish.Tasks.Tests.Support;

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
        using var http = new HttpClient();
        foreach (var address in args)
            Console.WriteLine(await http.GetStringAsync(new Uri(address)));
        """;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task ASelfContainedAppHasAllItNeedsAndTheSameLockGivesTheSameImageElsewhere()
    {
        using var workspace = await peers.WorkspaceAsync();
        var project = workspace
            .Empty("Nothing")
            .WithImagePublish()
            .Property("OutputType", "Exe")
            .Property("SelfContained", "true")
            .Property("RuntimeIdentifier", "linux-$(NETCoreSdkPortableRuntimeIdentifier.Split('-')[1])")
            .Property("ImplicitUsings", "enable")
            .Property("ImageBase", "scratch")
            .Property("ImageArchive", workspace["nothing.tar"])
            .Content("Program.cs", Program)
            // A user that only the packages' layer knows.
            .Item("ImageDirectory", "/data", ("Owner", "app"));
        (await project.TargetAsync("Restore", Cancelled)).EnsureSuccess();

        var locked = (await project.TargetAsync("UpdateImageLock", Cancelled, "--no-restore")).EnsureSuccess();
        var published = (
            await project.PublishAsync(Cancelled, "-p:PublishImage=true", "-p:ImageLockedMode=true", "--no-restore")
        ).EnsureSuccess();

        Assert.Contains("image.lock.json, linux/", locked.Command.Output, StringComparison.Ordinal);
        Assert.Empty(published.Messages);
        await RunsAsync(workspace["nothing.tar"]);
        await IsSmallerThanDebianAsync(project);
        var elsewhere = await PublishElsewhereAsync(workspace, project);
        Assert.Equal(published.Digest, elsewhere.Digest);
    }

    private async Task RunsAsync(string archive)
    {
        var docker = await peers.DockerAsync();
        var registry = await peers.RegistryAsync();
        await using var secure = await DockerRegistry.StartAsync(new DockerRegistryOptions { Tls = true }, Cancelled);
        await docker.LoadAsync(archive, Cancelled);

        var run = await docker.RunAsync(
            Cancelled,
            "--read-only",
            "--tmpfs=/tmp",
            $"--volume={secure.CertificateAuthority}:/private.crt:ro",
            "--env=SSL_CERT_FILE=/private.crt",
            "nothing:1.0.0",
            $"{registry.Uri}v2/",
            $"{secure.Uri}v2/"
        );
        var stranger = await docker.RunAsync(Cancelled, "--read-only", "--tmpfs=/tmp", "nothing:1.0.0", $"{secure.Uri}v2/");

        Assert.Equal("02:00:00\nMärz\nTrue\napp\n{}\n{}\n", run.All);
        Assert.NotEqual(0, stranger.ExitCode);
        Assert.Contains("remote certificate", stranger.Error, StringComparison.Ordinal);
    }

    // The same app has the same size on either: what lies below it is compared.
    private async Task IsSmallerThanDebianAsync(TestProject project)
    {
        var debian = await (await peers.RegistryAsync()).ManifestAsync("dotnet/runtime-deps", "10.0-docker", Cancelled);
        var file = Directory.GetFiles(Path.Combine(project.Folder, "obj"), "ImagePublish.json", SearchOption.AllDirectories).Single();
        using var result = JsonDocument.Parse(await File.ReadAllBytesAsync(file, Cancelled));

        Assert.True(
            result.RootElement.GetProperty("layers")[0].GetProperty("size").GetInt64()
                < debian.Layers.Sum(layer => layer.GetProperty("size").GetInt64())
        );
    }

    // Another user's home, umask, language and time zone, no apt, nothing cached, and every file a month younger.
    private static async Task<BuildOutput> PublishElsewhereAsync(TestWorkspace workspace, TestProject project)
    {
        foreach (var file in Directory.EnumerateFiles(project.Folder, "*", SearchOption.AllDirectories))
            File.SetLastWriteTimeUtc(file, DateTime.UtcNow.AddDays(31));
        var publish = project.Command(
            "publish",
            "--no-build",
            "-p:PublishImage=true",
            "-p:ImageLockedMode=true",
            $"-p:PublishDir={workspace["elsewhere"]}/",
            $"-p:ImageStore={workspace["store"]}",
            $"-p:ImagePackageCache={workspace["cache"]}"
        );
        var packages = Environment.GetEnvironmentVariable("NUGET_PACKAGES")
            ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
        var environment = new Dictionary<string, string?>(publish.Environment)
        {
            ["HOME"] = Directory.CreateDirectory(workspace["home"]).FullName,
            ["XDG_DATA_HOME"] = workspace["home/data"],
            ["LC_ALL"] = "tr_TR.UTF-8",
            ["TZ"] = "Pacific/Auckland",
            ["PATH"] = Path.GetDirectoryName(publish.Program),
            ["NUGET_PACKAGES"] = packages,
        };
        var elsewhere = new CommandLine("/bin/sh", ["-c", "umask 077; exec \"$@\"", "sh", publish.Program, .. publish.Arguments])
        {
            WorkingDirectory = publish.WorkingDirectory,
            Environment = environment,
        };
        return (await project.RunInNewProcessAsync(elsewhere, Cancelled)).EnsureSuccess();
    }
}

using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using ImagePublish.Tasks.Tests.Support;
using ImagePublish.Testing;

namespace ImagePublish.Tasks.Tests.EndToEnd;

/// <summary>What must not ship, and what need not.</summary>
public sealed class GuardRailsTests(Peers peers)
{
    private const string Area = "Guard rails";

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    [ReliabilityCase(
        Area,
        "a private key and a file `.env` in the publish folder",
        "a warning for each, IMG1095 and IMG1096; as an error, nothing is uploaded; `ImageAllowedFiles` and `NoWarn` are " + "respected"
    )]
    public async Task AKeyIsFoundBeforeAnythingIsUploaded()
    {
        await using var registry = await TestRegistry.StartAsync(cancellationToken: Cancelled);
        using var workspace = await peers.WorkspaceAsync();
        using var key = RSA.Create(2048);
        var project = App(workspace)
            .Content("tls.key", key.ExportPkcs8PrivateKeyPem())
            .Content(".env", "PASSWORD=hunter2")
            .Item("None", "tls.key;.env", ("CopyToPublishDirectory", "Always"));

        var refused = await PublishAsync(project, registry, "-p:WarningsAsErrors=IMG1095");
        Assert.Equal("IMG1095", Assert.Single(refused.Errors).Code);
        Assert.Contains("'/app/tls.key' has a private key in PEM.", refused.Command.All, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", refused.Command.All, StringComparison.Ordinal);
        Assert.Empty(registry.Content.Repositories);

        var warned = (await PublishAsync(project, registry)).EnsureSuccess();
        Assert.Equal(["IMG1095", "IMG1096"], warned.Warnings.Select(warning => warning.Code).Order(StringComparer.Ordinal));
        var again = (await PublishAsync(project, registry)).EnsureSuccess();
        Assert.Contains("(unchanged)", again.Command.All, StringComparison.Ordinal);
        Assert.Equal(2, again.Warnings.Count());

        Assert.Empty((await PublishAsync(project, registry, "-p:ImageAllowedFiles=*.key%3B.env")).EnsureSuccess().Warnings);
        Assert.Empty((await PublishAsync(project, registry, "-p:NoWarn=IMG1095%3BIMG1096")).EnsureSuccess().Warnings);
    }

    [Fact]
    [ReliabilityCase(
        Area,
        "a package with a known vulnerability, reported by NuGet's audit during the restore",
        "IMG1098 with the advisory; not for a package that is not in the image"
    )]
    public async Task WhatNuGetsAuditFoundIsRepeatedForTheImage()
    {
        using var source = new AuditSource(
            """{"newtonsoft.json":[{"url":"https://example.test/GHSA-1","severity":2,"versions":"(, 14.0.0)"}]}"""
        );
        using var workspace = await peers.WorkspaceAsync();
        await using var registry = await TestRegistry.StartAsync(cancellationToken: Cancelled);
        var project = App(workspace)
            .PackageReference("Newtonsoft.Json", "13.0.4")
            .Property("NuGetAudit", "true")
            .Content(
                "nuget.config",
                $"<configuration><auditSources><clear /><add key=\"audit\" value=\"{source.Address}\" allowInsecureConnections=\"true\" />"
                    + "</auditSources></configuration>"
            );

        var build = (await PublishAsync(project, registry)).EnsureSuccess();

        var warning = Assert.Single(build.Warnings, warning => warning.Code == "IMG1098");
        Assert.Contains("has a known high severity vulnerability, https://example.test/GHSA-1.", warning.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("console")]
    [InlineData("worker")]
    [InlineData("web")]
    [InlineData("webapp")]
    [InlineData("mvc")]
    [InlineData("blazor")]
    public async Task WhatATemplateMakesHasNoFinding(string template)
    {
        using var workspace = await peers.WorkspaceAsync();
        await using var registry = await TestRegistry.StartAsync(cancellationToken: Cancelled);
        var project = (await workspace.NewAsync(template, "Clean", Cancelled)).WithImagePublish();

        var warnings = (await PublishAsync(project, registry)).EnsureSuccess().Warnings;

        Assert.DoesNotContain(warnings, warning => warning.Code.StartsWith("IMG", StringComparison.Ordinal));
    }

    [Fact]
    [ReliabilityCase(
        Area,
        "a portable app whose package has native files for twenty systems",
        "the image has only those of its own platform, reports how much was left out, and runs in Docker; the switch keeps all"
    )]
    public async Task APortableAppRunsWithoutTheFilesOfOtherSystems()
    {
        const string Repository = "guard/lean";
        var registry = await peers.RegistryAsync();
        using var workspace = await peers.WorkspaceAsync();
        var project = workspace
            .Empty("Lean")
            .WithImagePublish()
            .Property("OutputType", "Exe")
            .PackageReference("SQLitePCLRaw.lib.e_sqlite3", "2.1.11")
            .Content(
                "Program.cs",
                """
                using System.Runtime.InteropServices;

                System.Console.WriteLine("SQLite " + Marshal.PtrToStringUTF8(Library.sqlite3_libversion()));
                foreach (var folder in System.IO.Directory.GetDirectories("/app/runtimes"))
                    System.Console.WriteLine(System.IO.Path.GetFileName(folder));

                static class Library
                {
                    [DllImport("e_sqlite3")]
                    public static extern nint sqlite3_libversion();
                }
                """
            );

        var build = (await project.PublishAsync(Cancelled, Switches.For(registry, Repository))).EnsureSuccess();

        Assert.Contains("MB of files for other platforms left out", build.Command.All, StringComparison.Ordinal);
        Assert.NotEmpty(Directory.EnumerateDirectories(project.Folder, "win-x64", SearchOption.AllDirectories));
        var run = await (await peers.DockerAsync()).RunAsync(Cancelled, build.Properties["ImageReference"]);
        Assert.Contains("SQLite 3.", run.Output, StringComparison.Ordinal);
        Assert.Contains("linux-", run.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("win-", run.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("osx-", run.Output, StringComparison.Ordinal);

        var kept = (
            await project.PublishAsync(Cancelled, [.. Switches.For(registry, Repository), "-p:ImageKeepOtherPlatforms=true"])
        ).EnsureSuccess();
        var all = await (await peers.DockerAsync()).RunAsync(Cancelled, kept.Properties["ImageReference"]);
        Assert.Contains("win-x64", all.Output, StringComparison.Ordinal);
        Assert.NotEqual(build.Digest, kept.Digest);
    }

    private static TestProject App(TestWorkspace workspace) =>
        workspace.Empty("App").WithImagePublish().Property("OutputType", "Exe").Content("Program.cs", "return;");

    private static Task<BuildOutput> PublishAsync(TestProject project, TestRegistry registry, params string[] arguments) =>
        project.PublishAsync(
            Cancelled,
            [
                "-p:PublishImage=true",
                $"-p:ImageRegistry={registry.Host}",
                "-p:ImageRepository=acme/shop",
                "-p:ImageTags=1.0",
                "-p:ImageBase=scratch",
                "-p:ImageDefaultPackages=false",
                "-p:ImageDoctor=Off",
                .. arguments,
            ]
        );

    /// <summary>A source of advisories, as NuGet asks one.</summary>
    private sealed class AuditSource : IDisposable
    {
        private readonly HttpListener listener = new();

        public AuditSource(string advisories)
        {
            using (var free = new TcpListener(IPAddress.Loopback, 0))
            {
                free.Start();
                Address = $"http://127.0.0.1:{((IPEndPoint)free.LocalEndpoint).Port}/index.json";
            }

            var root = Address[..^"index.json".Length];
            listener.Prefixes.Add(root);
            listener.Start();
            _ = ServeAsync(
                new Dictionary<string, string>
                {
                    ["/index.json"] =
                        $$"""{"version":"3.0.0","resources":[{"@id":"{{root}}pages.json","@type":"VulnerabilityInfo/6.7.0"}]}""",
                    ["/pages.json"] =
                        $$"""[{"@name":"base","@id":"{{root}}base.json","@updated":"2026-01-01T00:00:00Z","comment":"all"}]""",
                    ["/base.json"] = advisories,
                }
            );
        }

        public string Address { get; }

        public void Dispose() => listener.Close();

        private async Task ServeAsync(Dictionary<string, string> pages)
        {
            try
            {
                while (true)
                {
                    var exchange = await listener.GetContextAsync();
                    var isKnown = pages.TryGetValue(exchange.Request.Url!.AbsolutePath, out var page);
                    exchange.Response.StatusCode = isKnown ? 200 : 404;
                    exchange.Response.ContentType = "application/json";
                    exchange.Response.Close(Encoding.UTF8.GetBytes(page ?? ""), willBlock: false);
                }
            }
            catch (Exception exception) when (exception is HttpListenerException or ObjectDisposedException)
            {
                // The test is over.
            }
        }
    }
}

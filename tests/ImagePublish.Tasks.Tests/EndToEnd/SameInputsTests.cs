using System.Text.Json;
using ImagePublish.Tasks.Tests.Support;

namespace ImagePublish.Tasks.Tests.EndToEnd;

/// <summary>What decides an image's digest, and what does not.</summary>
public sealed class SameInputsTests(Peers peers)
{
    private const string Stranger = "12345";

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    [ReliabilityCase(
        "Git",
        "git refuses the checkout, or is broken",
        "a checkout that another user owns gives the same digest and tags; a broken git is one warning, and {date} is refused"
    )]
    public async Task TwoClonesGiveOneDigestForAnyUserFolderTimeZoneAndFileMask()
    {
        var registry = await peers.RegistryAsync();
        using var workspace = await peers.WorkspaceAsync();
        using var elsewhere = new TemporaryFolder();
        var project = (await workspace.NewAsync("web", "Same", Cancelled))
            .WithImagePublish()
            .Property("Version", "3.1.4")
            .Content(".gitignore", "bin/\nobj/\n")
            .Content("wwwroot/site.css", "a { color: teal }")
            .Content("wwwroot/deep/page.html", "<p>");
        await CommitAsync(project.Folder);
        await CloneForStrangerAsync(project.Folder, elsewhere);

        try
        {
            var mine = (
                await project.PublishAsync(
                    Cancelled,
                    [.. Switches.For(registry, "same/mine", "aspnet"), "-p:ContinuousIntegrationBuild=true"]
                )
            ).EnsureSuccess();
            await PublishAsStranger(
                    workspace,
                    elsewhere,
                    [.. Switches.For(registry, "same/theirs", "aspnet"), "-p:ContinuousIntegrationBuild=true"]
                )
                .SucceedAsync(Cancelled);
            using var theirs = JsonDocument.Parse(
                await File.ReadAllBytesAsync(elsewhere["clone/obj/Release/net10.0/ImagePublish.json"], Cancelled)
            );
            var labels = (await registry.ConfigAsync("same/mine", "latest", Cancelled)).GetProperty("config").GetProperty("Labels");

            await new CommandLine("chown", "-R", $"{Stranger}:{Stranger}", project.Folder).SucceedAsync(Cancelled);
            var refused = (
                await project.PublishAsync(
                    Cancelled,
                    [
                        .. Switches.For(registry, "same/refused", "aspnet"),
                        "-p:ContinuousIntegrationBuild=true",
                        "-p:ImageTags={date:yyyyMMdd}-{branch}",
                    ]
                )
            ).EnsureSuccess();
            var brokenGit = elsewhere.Write("broken/git", "#!/bin/sh\necho 'fatal: broken' >&2\nexit 128\n");
            File.SetUnixFileMode(brokenGit, UnixFileMode.UserRead | UnixFileMode.UserExecute);
            var broken = project.Command(
                "publish",
                [.. Switches.For(registry, "same/broken", "aspnet"), "--no-build", "-p:ImageTags={date}"]
            );
            var withoutTime = await project.RunAsync(
                broken with
                {
                    Environment = new Dictionary<string, string?>(broken.Environment)
                    {
                        ["PATH"] = $"{Path.GetDirectoryName(brokenGit)}:{Environment.GetEnvironmentVariable("PATH")}",
                    },
                },
                Cancelled
            );

            Assert.Equal(mine.Digest, refused.Digest);
            Assert.Equal("20260203-main", Assert.Single(await registry.TagsAsync("same/refused", Cancelled)));
            Assert.DoesNotContain(refused.Warnings, warning => warning.Code == "IMG1019");
            Assert.Contains(
                "git says 'fatal: broken'",
                Assert.Single(withoutTime.Warnings, warning => warning.Code == "IMG1019").Text,
                StringComparison.Ordinal
            );
            Assert.Contains(
                "no time is known",
                Assert.Single(withoutTime.Errors, error => error.Code == "IMG1009").Text,
                StringComparison.Ordinal
            );
            Assert.True(Directory.Exists(elsewhere["cli/.local/share/imagepublish/store"]));
            Assert.Equal(mine.Digest, theirs.RootElement.GetProperty("digest").GetString());
            Assert.Equal(mine.Digest, (await registry.ManifestAsync("same/theirs", "3.1.4", Cancelled)).Digest);
            Assert.Equal("2026-02-03T04:05:06Z", labels.GetProperty("org.opencontainers.image.created").GetString());
        }
        finally
        {
            await CommandLine.AsRoot("chown", "-R", Environment.UserName, elsewhere.Path).RunAsync(CancellationToken.None);
        }
    }

    private static async Task CommitAsync(string folder)
    {
        string[] identity = ["-c", "user.name=Ann", "-c", "user.email=ann@example.com", "-c", "commit.gpgsign=false"];
        foreach (
            var arguments in new string[][] { ["init", "-q", "-b", "main"], ["add", "."], [.. identity, "commit", "-q", "-m", "First"] }
        )
        {
            var git = new CommandLine("git", ["-C", folder, .. arguments])
            {
                Environment = new Dictionary<string, string?> { ["GIT_COMMITTER_DATE"] = "2026-02-03T04:05:06Z" },
            };
            await git.SucceedAsync(Cancelled);
        }
    }

    // Another user can't look into this one's temporary folders, so the feed goes along.
    private async Task CloneForStrangerAsync(string source, TemporaryFolder elsewhere)
    {
        var package = await peers.PackageAsync();
        await new CommandLine("git", "clone", "-q", source, elsewhere["clone"]).SucceedAsync(Cancelled);
        foreach (var folder in new[] { "feed", "home", "temporary" })
            Directory.CreateDirectory(elsewhere[folder]);
        File.Copy(package.File, elsewhere[$"feed/{Path.GetFileName(package.File)}"]);
        elsewhere.Write(
            "nuget.config",
            """<configuration><packageSources><clear /><add key="tests" value="feed" /></packageSources></configuration>"""
        );
        await CommandLine.AsRoot("chown", "-R", $"{Stranger}:{Stranger}", elsewhere.Path).SucceedAsync(Cancelled);
    }

    private static CommandLine PublishAsStranger(TestWorkspace workspace, TemporaryFolder elsewhere, IReadOnlyList<string> switches)
    {
        var dotnet = workspace.DotNet(["publish", "-nologo", "-tl:off", .. switches]);
        var environment = dotnet
            .Environment.Where(variable => variable.Value is not null && !variable.Key.StartsWith("NUGET", StringComparison.Ordinal))
            .Select(variable => $"{variable.Key}={variable.Value}");
        string[] other =
        [
            $"HOME={elsewhere["home"]}",
            $"DOTNET_CLI_HOME={elsewhere["cli"]}",
            "XDG_DATA_HOME=",
            $"XDG_CONFIG_HOME={elsewhere["config"]}",
            $"DOCKER_CONFIG={elsewhere["docker"]}",
            $"TMPDIR={elsewhere["temporary"]}",
            "TZ=Pacific/Kiritimati",
            "LC_ALL=tr_TR.UTF-8",
            $"PATH={Environment.GetEnvironmentVariable("PATH")}",
            "UseSharedCompilation=false",
        ];
        var command = CommandLine.AsRoot([
            "setpriv",
            $"--reuid={Stranger}",
            $"--regid={Stranger}",
            "--clear-groups",
            "env",
            "-i",
            .. environment,
            .. other,
            "sh",
            "-c",
            "umask 077; exec \"$@\"",
            "sh",
            dotnet.Program,
            .. dotnet.Arguments,
        ]);
        return command with { WorkingDirectory = elsewhere["clone"] };
    }
}

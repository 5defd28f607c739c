using System.Globalization;
using ImagePublish.Tasks.Tests.Support;

namespace ImagePublish.Tasks.Tests.Inputs;

/// <summary>Asks the real git about real checkouts, and lets it fail.</summary>
public sealed class GitCheckoutTests : IDisposable
{
    private const string Stranger = "4242";
    private const string Time = "1772600000";

    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(1);

    private readonly TemporaryFolder folder = new();
    private readonly Dictionary<string, string?> variables = new() { ["PATH"] = Environment.GetEnvironmentVariable("PATH") };

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    private string EmptyFolder => Directory.CreateDirectory(folder["empty"]).FullName;

    private string? Variable(string name) => variables.GetValueOrDefault(name);

    private Task<GitAnswer> AskAsync(string repository = ".git") => new GitCheckout(folder[repository], Variable, Limit).AskAsync();

    public void Dispose() => folder.Dispose();

    [Fact]
    [ReliabilityCase(
        "Git",
        "another user owns the checkout, and git refuses to read it",
        "commit, time and branch are read anyway, without running anything that the checkout's configuration names"
    )]
    public async Task AStrangersCheckoutIsReadAsItsOwner()
    {
        await CommitAsync();
        var own = await AskAsync();
        await new CommandLine("chown", "-R", Stranger, folder.Path).SucceedAsync(Cancelled);

        var refused = await new CommandLine("git", "-C", folder.Path, "log", "-1") { Environment = OwnConfiguration }.RunAsync(Cancelled);
        var read = await AskAsync();

        Assert.Contains("dubious ownership", refused.Error, StringComparison.Ordinal);
        Assert.Equal(own, read);
        Assert.Equal((Time, "HEAD -> main"), (read.Time, read.Decoration));
        Assert.Equal(40, read.Revision?.Length);
    }

    [Fact]
    public async Task NothingRunsThatAConfigurationNames()
    {
        await CommitAsync();
        var canary = folder["canary"];
        var script = Script("hostile", $"echo \"$0 $*\" >> '{canary}'\nexit 1");
        string[] settings =
        [
            "core.fsmonitor",
            "core.pager",
            "pager.log",
            "core.sshCommand",
            "gpg.program",
            "diff.external",
            "core.editor",
            "core.alternateRefsCommand",
            "credential.helper",
            "remote.origin.uploadpack",
        ];
        foreach (var setting in settings)
            await GitAsync("config", setting, script);
        (string Name, string Value)[] others =
        [
            ("core.hooksPath", folder.Path),
            ("log.showSignature", "true"),
            ("log.diffMerges", "on"),
            ("core.repositoryFormatVersion", "1"),
            ("extensions.partialClone", "origin"),
            ("remote.origin.promisor", "true"),
            ("remote.origin.url", $"ext::{script}"),
            ("protocol.ext.allow", "always"),
            ("protocol.allow", "always"),
        ];
        foreach (var (name, value) in others)
            await GitAsync("config", name, value);
        // A commit that is not there is fetched from the promisor: that is how git is led to run what a repository names.
        folder.Write(".git/refs/heads/main", new string('1', 40) + "\n");

        var unguarded = await new CommandLine("git", $"--git-dir={folder[".git"]}", "log", "-1").RunAsync(Cancelled);
        var ran = File.Exists(canary);
        File.Delete(canary);
        var answer = await AskAsync();

        Assert.True(ran, unguarded.ToString());
        Assert.NotNull(answer.Problem);
        Assert.False(File.Exists(canary));
    }

    [Fact]
    public async Task AWorktreeIsReadThroughItsFile()
    {
        await CommitAsync();
        await GitAsync("worktree", "add", "-q", folder["tree"], "-b", "side");

        Assert.Equal("HEAD -> side, main", (await AskAsync("tree/.git")).Decoration);
        Assert.Equal(folder["tree/.git"], GitCheckout.Find(Directory.CreateDirectory(folder["tree/deep/project"]).FullName, Variable));
    }

    [Fact]
    public async Task ColoursOfTheUsersConfigurationStayOut()
    {
        await CommitAsync();
        await GitAsync("config", "color.ui", "always");

        Assert.Equal("HEAD -> main", (await AskAsync()).Decoration);
    }

    [Fact]
    public async Task BeforeTheFirstCommitThereIsNothingToKnow()
    {
        await GitAsync("init", "-q", "-b", "main");

        Assert.Equal(new GitAnswer(), await AskAsync());
    }

    [Fact]
    [ReliabilityCase(
        "Git",
        "git fails, for example because a worktree's repository is not mounted",
        "IMG1019 contains git's message; the image is built"
    )]
    public async Task WhatGitSaysIsTold()
    {
        folder.Write(".git", "gitdir: /not/mounted/.git/worktrees/app\n");

        Assert.Equal(
            $"The commit of the checkout '{folder[".git"]}' can't be read: git says 'fatal: not a git repository: "
                + $"/not/mounted/.git/worktrees/app'",
            (await AskAsync()).Problem
        );
    }

    [Fact]
    [ReliabilityCase("Git", "there is a checkout, but no git on the PATH", "IMG1019 says so; the image is built")]
    public async Task AMissingGitIsTold()
    {
        await CommitAsync();
        variables["PATH"] = EmptyFolder;

        Assert.EndsWith("can't be read: git is not on the PATH", (await AskAsync()).Problem, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AGitInTheProjectIsNeverRun()
    {
        await CommitAsync();
        Script("git", $"touch '{folder["ran"]}'");
        variables["PATH"] = $".::{EmptyFolder}";

        Assert.EndsWith("git is not on the PATH", (await AskAsync()).Problem, StringComparison.Ordinal);
        Assert.False(File.Exists(folder["ran"]));
    }

    [Theory]
    [InlineData("echo 'warning: odd' >&2; echo 'fatal: broken' >&2; exit 128", "git says 'fatal: broken'")]
    [InlineData("exit 3", "git ended with 3")]
    public async Task ABrokenGitIsTold(string script, string problem)
    {
        Directory.CreateDirectory(folder[".git"]);
        variables["PATH"] = Path.GetDirectoryName(Script("bin/git", script));

        Assert.EndsWith($"can't be read: {problem}", (await AskAsync()).Problem, StringComparison.Ordinal);
    }

    [Fact]
    [ReliabilityCase(
        "Git",
        "git hangs",
        "it is stopped after five seconds with all programs that it started; IMG1019 says so, and the image is built"
    )]
    public async Task AGitThatHangsIsEnded()
    {
        Directory.CreateDirectory(folder[".git"]);
        // What it starts keeps its output open.
        variables["PATH"] = Path.GetDirectoryName(
            Script("bin/git", $"sleep 1000 &\necho $! > '{folder["child"]}.new'\nmv '{folder["child"]}.new' '{folder["child"]}'\nwait")
        );
        var limit = TimeSpan.FromMilliseconds(200);

        GitAnswer answer;
        do
        {
            answer = await new GitCheckout(folder[".git"], Variable, limit).AskAsync();
            limit *= 2;
        } while (!File.Exists(folder["child"]));

        Assert.Matches("can't be read: git did not answer within [0-9.]+ seconds$", answer.Problem);
        var child = int.Parse(await File.ReadAllTextAsync(folder["child"], Cancelled), CultureInfo.InvariantCulture);
        while (IsRunning(child))
            await Task.Delay(10, Cancelled);
    }

    [Fact]
    public async Task WhereThereIsNoCheckoutNothingIsFound()
    {
        await CommitAsync();
        Directory.CreateDirectory(folder["sub/.git"]);

        Assert.Equal(folder[".git"], GitCheckout.Find(folder["sub"], Variable));
        variables["GIT_CEILING_DIRECTORIES"] = folder.Path;
        Assert.Null(GitCheckout.Find(folder["sub"], Variable));
        variables["GIT_DIR"] = folder["elsewhere"];
        Assert.Equal(folder["elsewhere"], GitCheckout.Find(folder["sub"], Variable));
    }

    // A zombie that nobody has waited for yet counts as ended.
    private static bool IsRunning(int process)
    {
        try
        {
            return !File.ReadAllText($"/proc/{process}/stat").Contains(") Z ", StringComparison.Ordinal);
        }
        catch (IOException)
        {
            return false;
        }
    }

    private static Dictionary<string, string?> OwnConfiguration =>
        new() { ["GIT_CONFIG_GLOBAL"] = "/dev/null", ["GIT_CONFIG_SYSTEM"] = "/dev/null" };

    private string Script(string name, string content) => folder.WriteProgram(name, $"#!/bin/sh\n{content}\n");

    private async Task CommitAsync()
    {
        await GitAsync("init", "-q", "-b", "main");
        await GitAsync(
            "-c",
            "user.name=Ann",
            "-c",
            "user.email=ann@example.com",
            "commit",
            "-q",
            "--allow-empty",
            "--no-gpg-sign",
            "-m",
            "First"
        );
    }

    private async Task GitAsync(params string[] arguments) =>
        await new CommandLine("git", ["-C", folder.Path, .. arguments])
        {
            Environment = new Dictionary<string, string?>(OwnConfiguration) { ["GIT_COMMITTER_DATE"] = $"@{Time} +0000" },
        }.SucceedAsync(Cancelled);
}

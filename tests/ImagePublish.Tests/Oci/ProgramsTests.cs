using ImagePublish.Commands;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Storage.Archives;
using Microsoft.Extensions.Time.Testing;

namespace ImagePublish.Tests.Oci;

/// <summary>Which programs are run, and what they get to see.</summary>
public sealed class ProgramsTests : IDisposable
{
    private const string Area = "Security";

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("image-programs-");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => folder.Delete(recursive: true);

    [Theory]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("bin")]
    [InlineData("./bin:..")]
    [ReliabilityCase(
        Area,
        "./git, ./podman or ./apt-get in the project, and a PATH with relative or empty entries",
        "never run: only absolute folders of the PATH are used"
    )]
    public async Task OnlyAbsoluteFoldersOfThePathCount(string entries)
    {
        var path = Path.GetRelativePath(Environment.CurrentDirectory, folder.FullName);
        Program("bin/git", "exit 1");
        Program("git", "exit 1");

        Assert.Null(Programs.Find("git", $"{entries}:{path}:{path}/bin", isWindows: false));
        Assert.Equal(
            Path.Combine(folder.FullName, "bin/git"),
            Programs.Find("git", $"{entries}:{path}:{folder.FullName}/bin", isWindows: false)
        );
        await Assert.ThrowsAsync<ArgumentException>(() => Programs.RunAsync(new ProgramStart("git", []), Cancel));
    }

    [Theory]
    [InlineData("IMAGE_REGISTRY_PASSWORD", "x", "")]
    [InlineData("IMAGE_REGISTRY_PASSWORD__ghcr_io", "x", "")]
    [InlineData("IMAGE_REGISTRY_TOKEN", "x", "")]
    [InlineData("IMAGE_CACHE_KEY", "x", "")]
    [InlineData("SIGSTORE_ID_TOKEN", "x", "")]
    [InlineData("IMAGE_SIGNING_PASSWORD", "x", "")]
    [InlineData("COSIGN_PEM", "-----BEGIN PRIVATE KEY-----", "helper")]
    [InlineData("DOCKER_AUTH_CONFIG", "{}", "")]
    [InlineData("DOTNET_CONTAINER_REGISTRY_PWORD", "x", "")]
    [InlineData("DOTNET_CONTAINER_PUSH_REGISTRY_PWORD", "x", "")]
    [InlineData("DOTNET_CONTAINER_PULL_REGISTRY_PWORD", "x", "")]
    [InlineData("SDK_CONTAINER_REGISTRY_PWORD", "x", "")]
    [InlineData("DOCKER_PASSWORD", "x", "helper")]
    [InlineData("GITHUB_TOKEN", "x", "helper")]
    [InlineData("ACTIONS_ID_TOKEN_REQUEST_URL", "https://example.com", "helper")]
    [InlineData("CI_JOB_TOKEN", "x", "helper")]
    [InlineData("CI_JOB_JWT_V2", "x", "helper")]
    [InlineData("CI_REGISTRY_PASSWORD", "x", "helper")]
    [InlineData("CI_REPOSITORY_URL", "https://gitlab-ci-token:x@gitlab.example.com/acme/app.git", "helper")]
    [InlineData("SYSTEM_ACCESSTOKEN", "x", "helper")]
    [InlineData("AZURE_DEVOPS_EXT_PAT", "x", "helper")]
    [InlineData("AZURE_CLIENT_SECRET", "x", "helper")]
    [InlineData("AWS_SECRET_ACCESS_KEY", "x", "helper")]
    [InlineData("AWS_SESSION_TOKEN", "x", "helper")]
    [InlineData("NuGetPackageSourceCredentials_acme", "x", "helper")]
    [InlineData("VSS_NUGET_EXTERNAL_FEED_ENDPOINTS", "{}", "helper")]
    [InlineData("ARTIFACTS_CREDENTIALPROVIDER_EXTERNAL_FEED_ENDPOINTS", "{}", "helper")]
    [InlineData("ConnectionString", "x", "helper")]
    [InlineData("CONTAINER_SSHKEY", "/home/ci/.ssh/id", "engine helper other")]
    [InlineData("CONTAINER_PASSPHRASE", "x", "engine helper")]
    [InlineData("DOCKER_HOST", "ssh://ci:x@build.example.com", "engine helper")]
    [InlineData("DOCKER_HOST", "tcp://build.example.com:2376", "engine helper other")]
    [InlineData("DOCKER_CONFIG", "/home/ci/.docker", "engine helper other")]
    [InlineData("HTTPS_PROXY", "http://ci:x@proxy.example.com:3128", "engine helper other")]
    [InlineData("http_proxy", "http://ci:x@proxy.example.com:3128", "engine helper other")]
    [InlineData("SSH_AUTH_SOCK", "/run/agent", "engine helper other")]
    [InlineData("GIT_ASKPASS", "/usr/bin/askpass", "engine helper other")]
    [InlineData("HOME", "/home/ci", "engine helper other")]
    [InlineData("PWD", "/home/ci", "engine helper other")]
    [InlineData("OLDPWD", "/home/ci", "engine helper other")]
    [InlineData("XDG_RUNTIME_DIR", "/run/user/1000", "engine helper other")]
    [InlineData("DOTNET_CLI_HOME", "/home/ci", "engine helper other")]
    public void AProgramGetsTheSecretsThatItNeeds(string name, string value, string programs)
    {
        (string Name, ProgramSecrets Secrets)[] all =
        [
            ("engine", ProgramSecrets.Engine),
            ("helper", ProgramSecrets.CredentialHelper),
            ("other", ProgramSecrets.None),
        ];

        Assert.Equal(programs, string.Join(' ', all.Where(one => Programs.IsHandedOver(name, value, one.Secrets)).Select(one => one.Name)));
    }

    [Fact]
    [ReliabilityCase(Area, "a build with passwords in its environment runs git, apt, docker or podman", "they get none of them")]
    public async Task AProgramSeesNoSecretAndNoRelativeFolder()
    {
        const string Token = "IMAGE_TESTS_TOKEN";
        Environment.SetEnvironmentVariable(Token, "canary");
        try
        {
            var result = await Programs.RunAsync(
                new ProgramStart(Program("env", "/usr/bin/env"), []) { Variables = new Dictionary<string, string?> { ["ADDED"] = "yes" } },
                Cancel
            );
            var lines = result.Text.Split('\n');

            Assert.DoesNotContain(lines, line => line.Contains("canary", StringComparison.Ordinal));
            Assert.Contains("ADDED=yes", lines);
            Assert.All(lines.Single(line => line.StartsWith("PATH=", StringComparison.Ordinal))["PATH=".Length..].Split(':'), entry =>
                Assert.True(Path.IsPathFullyQualified(entry))
            );
        }
        finally
        {
            Environment.SetEnvironmentVariable(Token, null);
        }
    }

    [Fact]
    public async Task AProgramGetsItsInputAndItsOutputIsRead()
    {
        var start = new ProgramStart(Program("echo", "echo problem >&2; cat; exit 3"), [])
        {
            WriteInputAsync = (input, stop) => input.WriteAsync("hello"u8.ToArray(), stop).AsTask(),
        };

        var result = await Programs.RunAsync(start, Cancel);

        Assert.Equal((3, "hello", "problem\n"), (result.ExitCode, result.Text, result.Errors));
    }

    [Fact]
    public async Task AProgramThatDoesNotReadItsInputIsNoFailure()
    {
        var start = new ProgramStart(Program("deaf", "exit 4"), [])
        {
            WriteInputAsync = (input, stop) => input.WriteAsync(new byte[10_000_000], stop).AsTask(),
        };

        Assert.Equal(4, (await Programs.RunAsync(start, Cancel)).ExitCode);
    }

    [Fact]
    public async Task TheOutputIsLimitedAndErrorsAreCut()
    {
        var endless = new ProgramStart(Program("yes", "/usr/bin/yes"), []) { MaxOutput = 64 * 1024 };
        var noisy = new ProgramStart(Program("noisy", "/usr/bin/head -c 1000000 /dev/zero >&2"), []) { MaxOutput = 1000 };

        Assert.Equal(
            "it writes more than 64 KiB",
            (await Assert.ThrowsAsync<IOException>(() => Programs.RunAsync(endless, Cancel))).Message
        );
        Assert.Equal(1000, (await Programs.RunAsync(noisy, Cancel)).Errors.Length);
    }

    [Fact]
    [ReliabilityCase(Area, "a program that another program leaves running keeps its output open", "the output is used anyway")]
    public async Task AProcessThatIsLeftRunningIsNotWaitedFor()
    {
        var result = await Programs.RunAsync(new ProgramStart(Program("parent", "sleep 600 & echo $!"), []), Cancel);

        using var child = System.Diagnostics.Process.GetProcessById(
            int.Parse(result.Text, System.Globalization.CultureInfo.InvariantCulture)
        );
        Assert.Equal(0, result.ExitCode);
        child.Kill();
    }

    [Fact]
    public async Task WhatIsCancelledOrTakesTooLongIsKilledWithWhatItStarted()
    {
        var file = Path.Combine(folder.FullName, "child");
        var start = new ProgramStart(Program("parent", $"sleep 600 & echo $! > {file}.new; mv {file}.new {file}; wait"), []);
        using var stop = new CancellationTokenSource();

        var running = Programs.RunAsync(start, stop.Token);
        while (!File.Exists(file))
            await Task.Delay(5, Cancel);
        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
        var child = await File.ReadAllTextAsync(file, Cancel);
        while (IsRunning(child.Trim()))
            await Task.Delay(5, Cancel);
        await Assert.ThrowsAsync<TimeoutException>(() =>
            Programs.RunAsync(start with { TimeLimit = TimeSpan.FromMilliseconds(1) }, Cancel)
        );
    }

    [Theory]
    [InlineData("sleep 600")]
    [InlineData("cat > /dev/null; sleep 600")]
    [InlineData("cat > /dev/null; echo begun; sleep 600")]
    public async Task AProgramThatStallsIsKilled(string script)
    {
        var time = new FakeTimeProvider();
        var start = new ProgramStart(Program("stalling", script), [])
        {
            IdleLimit = TimeSpan.FromMinutes(10),
            Time = time,
            WriteInputAsync = (input, stop) => input.WriteAsync(new byte[10_000_000], stop).AsTask(),
        };

        var running = Programs.RunAsync(start, Cancel);
        while (!running.IsCompleted)
        {
            time.Advance(TimeSpan.FromMinutes(1));
            await Task.Delay(1, Cancel);
        }

        await Assert.ThrowsAsync<TimeoutException>(() => running);
    }

    [Fact]
    public async Task ASlowSourceIsNotTakenForAProgramThatStalls()
    {
        var time = new FakeTimeProvider();
        var start = new ProgramStart(Program("cat", "cat"), [])
        {
            IdleLimit = TimeSpan.FromMinutes(10),
            Time = time,
            WriteInputAsync = async (input, stop) =>
            {
                time.Advance(TimeSpan.FromHours(1));
                await input.WriteAsync("hel"u8.ToArray(), stop);
                time.Advance(TimeSpan.FromHours(1));
                await input.WriteAsync("lo"u8.ToArray(), stop);
                time.Advance(TimeSpan.FromHours(1));
            },
        };

        Assert.Equal("hello", (await Programs.RunAsync(start, Cancel)).Text);
    }

    [Fact]
    [ReliabilityCase(
        "Docker",
        "the client of podman or Docker stalls while it loads an image",
        "IMG3108 after ten minutes without progress"
    )]
    public async Task AClientOfAnEngineThatStallsIsGivenUpOn()
    {
        var time = new FakeTimeProvider();
        var program = Program("podman", "cat > /dev/null; sleep 600");
        var engine = new EngineClient(new EngineProgram("podman", _ => program, time));

        var work = engine.LoadAsync(ArchiveImage.Create(SmallImage.Create("amd64", "one"), "acme/shop:1"), Cancel);
        while (!work.IsCompleted)
        {
            time.Advance(TimeSpan.FromMinutes(1));
            await Task.Delay(1, Cancel);
        }

        var failure = await Assert.ThrowsAnyAsync<ImagePublishException>(() => work);
        Assert.Equal(DiagnosticCodes.EngineFailed, failure.Code);
        Assert.StartsWith(
            "'podman load' has been silent for 10 minutes while it loads the image. ",
            failure.Message,
            StringComparison.Ordinal
        );
    }

    // A zombie that nobody has waited for yet counts as ended.
    private static bool IsRunning(string process)
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

    private string Program(string name, string script)
    {
        var file = Path.Combine(folder.FullName, name);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        // A process that another test forks while a file is open for writing makes it unusable for a moment; the shell writes it in a
        // process of its own.
        using var writer = System.Diagnostics.Process.Start(
            new System.Diagnostics.ProcessStartInfo(
                "/bin/sh",
                ["-c", "printf '#!/bin/sh\\n%s\\n' \"$1\" > \"$0\" && chmod 700 \"$0\"", file, script]
            )
        )!;
        writer.WaitForExit();
        return file;
    }
}

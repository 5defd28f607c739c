using System.Diagnostics;
using ImagePublish.Diagnostics;
using ImagePublish.Registries.Auth;
using ImagePublish.Registries.Auth.Credentials;

namespace ImagePublish.Tests.Registries.Auth;

public sealed class HelperTests
{
    private const string Area = "Helpers";

    [Fact]
    public async Task AHelperIsAskedForTheHost()
    {
        using var machine = Machine(
            "test",
            """[ "$1" = get ] && echo "{\"ServerURL\":\"$input\",\"Username\":\"ada\",\"Secret\":\"pw for $input\"}" """
        );

        Assert.Equal(Credential.Create("ada", "pw for registry.example.com"), await machine.FindAsync());
        Assert.Equal(Credential.Create("ada", "pw for https://index.docker.io/v1/"), await machine.FindAsync("docker.io"));
    }

    [Fact]
    public async Task AHostsOwnHelperComesBeforeTheStore()
    {
        using var machine = Machine("test", """echo '{"Username":"store","Secret":"x"}'""")
            .Helper("own", """echo '{"Username":"own","Secret":"x"}'""");
        machine.Write(machine.DockerConfig, """{"credsStore":"test","credHelpers":{"ghcr.io":"own"}}""");

        Assert.Equal("own", (await machine.FindAsync("ghcr.io"))?.Username);
        Assert.Equal("store", (await machine.FindAsync())?.Username);
    }

    [Fact]
    [ReliabilityCase(Area, "missing", "one clear error that names it")]
    public async Task AMissingHelperIsAnError()
    {
        using var machine = new TestMachine();
        machine.Write(machine.DockerConfig, """{"credsStore":"nowhere"}""");

        Assert.Contains(
            "docker-credential-nowhere is configured but not found",
            (await FailsAsync(machine)).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    [ReliabilityCase(Area, "credentials not found", "continues without credentials")]
    public async Task AHelperWithoutTheCredentialMeansNobody()
    {
        using var machine = Machine("test", "echo 'credentials not found in native keychain'; exit 1");

        Assert.Null(await machine.FindAsync());
    }

    [Fact]
    [ReliabilityCase(Area, "no answer", "stopped after the time-out")]
    public async Task AHangingHelperIsEnded()
    {
        using var machine = new TestMachine { HelperTimeout = TimeSpan.FromMilliseconds(300) };
        var pid = Path.Combine(machine.Home, "pid");
        machine
            .Helper("test", $"echo $$ > {pid}.tmp; /bin/mv {pid}.tmp {pid}; exec /bin/sleep 600")
            .Write(machine.DockerConfig, """{"credsStore":"test"}""");

        Assert.Contains("gave no answer in 0.3 seconds", (await FailsAsync(machine)).Message, StringComparison.Ordinal);
        if (File.Exists(pid))
            await HasEndedAsync(
                int.Parse(await File.ReadAllTextAsync(pid, TestMachine.Stop), System.Globalization.CultureInfo.InvariantCulture)
            );
    }

    [Fact]
    public async Task AHelperWhoseChildKeepsThePipeOpenIsNotWaitedForLongerThanItMay()
    {
        using var machine = new TestMachine { HelperTimeout = TimeSpan.FromMilliseconds(300) };
        machine.Helper("test", "/bin/sleep 5 & echo '{}'").Write(machine.DockerConfig, """{"credsStore":"test"}""");

        await FailsAsync(machine);
    }

    [Theory]
    [InlineData("echo sup3rsecret")]
    [InlineData("echo '[\"sup3rsecret\"]'")]
    [InlineData("echo '{\"Username\":\"a\",\"Secret\":\"sup3rsecret\"'")]
    [InlineData("echo '{\"Secret\":\"sup3rsecret\"}'; exit 2")]
    [InlineData("/usr/bin/yes sup3rsecret")]
    [ReliabilityCase(Area, "invalid output", "one clear error that does not repeat it")]
    public async Task GarbageOfAHelperIsAnErrorThatDoesNotRepeatIt(string script)
    {
        using var machine = Machine("test", script);

        Assert.DoesNotContain("sup3rsecret", (await FailsAsync(machine)).ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task AHelpersOwnMessageIsShown()
    {
        using var machine = Machine("test", "echo noise >&2; echo 'pass not initialized: exit status 1'; exit 1");

        Assert.Contains(
            "fails for registry.example.com: pass not initialized: exit status 1",
            (await FailsAsync(machine)).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task AHelperMayWriteAnyAmountOfErrors()
    {
        using var machine = Machine("test", """/usr/bin/head -c 1000000 /dev/zero >&2; echo '{"Username":"ada","Secret":"x"}'""");

        Assert.Equal("ada", (await machine.FindAsync())?.Username);
    }

    [Fact]
    [ReliabilityCase(Area, "<token>", "the secret is an identity token")]
    public async Task TheUserNamedTokenHasAnIdentityToken()
    {
        using var machine = Machine("test", """echo '{"Username":"<token>","Secret":"refresh"}'""");

        Assert.Equal(new Credential { IdentityToken = "refresh" }, await machine.FindAsync());
    }

    [Theory]
    [InlineData("../x")]
    [InlineData("a b")]
    [InlineData("x;id")]
    [InlineData("$(id)")]
    [ReliabilityCase(Area, "../x", "refused, nothing is run")]
    public async Task AHelpersNameIsOnlyAName(string name)
    {
        using var machine = new TestMachine();
        machine.Write(machine.DockerConfig, $$"""{"credsStore":"{{name}}"}""");

        Assert.Contains("its name may have only", (await FailsAsync(machine)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AHelperIsLookedForOnlyInWholePathsOfThePath()
    {
        using var machine = Machine("test", """echo '{"Username":"ada","Secret":"x"}'""");
        machine.Set("PATH", $":.:bin:{Path.GetRelativePath(Directory.GetCurrentDirectory(), machine.Programs)}");

        Assert.Contains("not found on the PATH", (await FailsAsync(machine)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AHelperIsAskedOnceHoweverManyWait()
    {
        using var machine = new TestMachine();
        var log = Path.Combine(machine.Home, "log");
        machine
            .Helper("test", $$"""echo x >> {{log}}; echo '{"Username":"ada","Secret":"x"}'""")
            .Write(machine.DockerConfig, """{"credsStore":"test"}""");
        var chain = new CredentialChain(machine.Environment);

        var found = await Task.WhenAll(
            Enumerable.Range(0, 50).Select(_ => chain.FindAsync(SignInBench.Example, null, TestMachine.Stop).AsTask())
        );

        Assert.All(found, credential => Assert.Equal("ada", credential?.Username));
        Assert.Single(await File.ReadAllLinesAsync(log, TestMachine.Stop));
    }

    [Fact]
    public async Task AFileThatIsNoProgramIsAnError()
    {
        using var machine = Machine("test", "");
        var path = Path.Combine(machine.Programs, "docker-credential-test");
        await File.WriteAllTextAsync(path, "\u007fELF not really", TestMachine.Stop);

        Assert.Equal(DiagnosticCodes.CredentialsUnusable, (await FailsAsync(machine)).Code);
    }

    private static TestMachine Machine(string name, string script)
    {
        var machine = new TestMachine();
        return machine.Helper(name, script).Write(machine.DockerConfig, $$"""{"credsStore":"{{name}}"}""");
    }

    private static async Task<ImagePublishException> FailsAsync(TestMachine machine)
    {
        var exception = await Assert.ThrowsAsync<ImagePublishException>(() => machine.FindAsync());
        Assert.Equal(DiagnosticCodes.CredentialsUnusable, exception.Code);
        Assert.DoesNotContain('\n', exception.Message);
        return exception;
    }

    private static async Task HasEndedAsync(int pid)
    {
        try
        {
            using var process = Process.GetProcessById(pid);
            await process.WaitForExitAsync(TestMachine.Stop).WaitAsync(TimeSpan.FromSeconds(30), TestMachine.Stop);
        }
        catch (ArgumentException)
        {
            // It is gone already.
        }
    }
}

using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using ImagePublish.Tasks.Tests.Support;
using ImagePublish.Testing;

namespace ImagePublish.Tasks.Tests.Config;

/// <summary>The program of health checks by http: what it is made of, what it answers, and a container that Docker asks with it.</summary>
public sealed class HttpProbeProgramTests(Peers peers)
{
    private const string Area = "Health checks";

    private static readonly Lock Copying = new();

    private static readonly string Folder = Path.Combine(RepositoryRoot.Path, "src", "ImagePublish", "Images", "Probe");

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public static TheoryData<string, string, int> Answers
    {
        get
        {
            var data = new TheoryData<string, string, int>();
            foreach (var machine in (string[])["x64", "arm64", "arm"])
            {
                foreach (
                    var (answer, code) in (IEnumerable<(string, int)>)
                        [
                            ("HTTP/1.1 200 OK\r\n\r\n", 0),
                            ("HTTP/1.0 204 No Content\r\n\r\n", 0),
                            ("HTTP/1.1 302 Found\r\n\r\n", 0),
                            ("HTTP/1.1 404 Not Found\r\n\r\n", 1),
                            ("HTTP/1.1 503 Service Unavailable\r\n\r\n", 1),
                            ("HTTP/1.1 100 Continue\r\n\r\n", 1),
                            ("SSH-2.0-OpenSSH_9.2\r\n", 1),
                            ("HTTP/1.1 2", 1),
                            ("", 1),
                        ]
                )
                    data.Add(machine, answer, code);
            }

            return data;
        }
    }

    [Fact]
    public async Task TheProgramsAreWhatTheirSourcesGive()
    {
        using var built = new TemporaryFolder();

        await new CommandLine(Path.Combine(Folder, "build.sh"), built.Path).SucceedAsync(Cancelled);

        foreach (var name in (string[])["probe.x64", "probe.arm64", "probe.arm"])
        {
            var expected = await File.ReadAllBytesAsync(built[name], Cancelled);
            Assert.Equal(expected, await File.ReadAllBytesAsync(Path.Combine(Folder, name), Cancelled));
            Assert.InRange(expected.Length, 1, 1024);
        }
    }

    [Theory]
    [MemberData(nameof(Answers))]
    public async Task TheStatusDecides(string machine, string answer, int code)
    {
        using var server = new AnsweringServer(answer, pause: TimeSpan.Zero);

        var result = await ProbeAsync(machine, server.Port, "/health?a=b", 20);

        Assert.Equal(code, result.ExitCode);
        var request = await server.Request;
        Assert.StartsWith("GET /health?a=b HTTP/1.1\r\nHost: localhost\r\n", request, StringComparison.Ordinal);
        Assert.EndsWith("Connection: close\r\n\r\n", request, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("x64")]
    [InlineData("arm64")]
    [InlineData("arm")]
    [ReliabilityCase(Area, "an app that sends its answer byte by byte, or never finishes it", "unhealthy after the time-out")]
    public async Task AnAppThatIsTooSlowIsUnhealthyInTime(string machine)
    {
        using var trickling = new AnsweringServer("HTTP/1.1 200 OK\r\n\r\n", TimeSpan.FromMilliseconds(700));
        using var slow = new AnsweringServer("HTTP/1.1 200 OK\r\n\r\n", TimeSpan.FromMilliseconds(5));
        var clock = Stopwatch.StartNew();

        Assert.NotEqual(0, (await ProbeAsync(machine, trickling.Port, "/", 1)).ExitCode);
        Assert.InRange(clock.Elapsed.TotalSeconds, 0.5, 6);
        Assert.Equal(0, (await ProbeAsync(machine, slow.Port, "/", 20)).ExitCode);
    }

    [Theory]
    [InlineData("x64")]
    [InlineData("arm64")]
    [InlineData("arm")]
    [ReliabilityCase(Area, "an app that does not listen", "unhealthy at once")]
    public async Task AnAbsentAppIsUnhealthy(string machine)
    {
        var port = Ports.Free();

        Assert.Equal(1, (await ProbeAsync(machine, port, "/", 20)).ExitCode);
        Assert.Equal(2, (await Program(machine).RunAsync(Cancelled)).ExitCode);
    }

    [Theory]
    [InlineData("/App.runtimeconfig.json", "healthy")]
    [InlineData("/absent", "unhealthy")]
    public async Task DockerAsksAnAppOnScratch(string path, string health)
    {
        using var workspace = await peers.WorkspaceAsync();
        var docker = await peers.DockerAsync();
        var port = Ports.Free().ToString(CultureInfo.InvariantCulture);
        var name = $"http-probe/{health}";
        var project = workspace
            .Empty("App")
            .WithImagePublish()
            .Property("OutputType", "Exe")
            .Property("ImageBase", "scratch")
            .Property("ImageDoctor", "Off")
            .Property("UseAppHost", "false")
            .Property("ImageRepository", name)
            .Property("ImageArchive", workspace["app.tar"])
            .Content("Program.cs", "return;")
            // Static, and started as nothing but a web server.
            .Item("ImageFile", "/bin/busybox")
            .Item("ImageEntrypoint", $"/app/busybox;httpd;-f;-p;{port};-h;/app")
            .Item("ImagePort", port)
            .Item("ImageHealthcheck", path, ("Http", "true"), ("Interval", "1s"), ("Timeout", "5s"), ("Retries", "2"));

        (await project.PublishAsync(Cancelled, "-p:PublishImage=true")).EnsureSuccess();
        await docker.LoadAsync(workspace["app.tar"], Cancelled);
        await using var container = await docker.StartAsync($"{name}:1.0.0", Cancelled);

        Assert.Equal(health, await HealthAsync(docker, container));
        var test = await docker.Command("inspect", "--format", "{{.Config.Healthcheck.Test}}", $"{name}:1.0.0").SucceedAsync(Cancelled);
        Assert.Equal($"[CMD /app/http-healthcheck {port} {path} 5]", test.Output.Trim());
    }

    private static async Task<string> HealthAsync(DockerEngine docker, DockerContainer container)
    {
        var clock = Stopwatch.StartNew();
        while (true)
        {
            var state = await docker.Command("inspect", "--format", "{{.State.Health.Status}}", container.Id).SucceedAsync(Cancelled);
            if (state.Output.Trim() is var status and not "starting" || clock.Elapsed > TimeSpan.FromMinutes(1))
                return state.Output.Trim();
            await Task.Delay(200, Cancelled);
        }
    }

    private static Task<CommandOutput> ProbeAsync(string machine, int port, string path, int seconds) =>
        Program(machine, port.ToString(CultureInfo.InvariantCulture), path, seconds.ToString(CultureInfo.InvariantCulture))
            .RunAsync(Cancelled);

    // A package or a clone may have lost the permission; an image says it itself.
    private static CommandLine Program(string machine, params string[] arguments)
    {
        var file = Path.Combine(Folder, $"probe.{machine}");
        var copy = Path.Combine(Path.GetTempPath(), $"http-healthcheck-{Environment.ProcessId}.{machine}");
        lock (Copying)
        {
            if (!File.Exists(copy))
            {
                File.Copy(file, copy);
                File.SetUnixFileMode(copy, UnixFileMode.UserRead | UnixFileMode.UserExecute);
            }
        }

        string[] emulator = machine switch
        {
            "arm64" => ["qemu-aarch64"],
            "arm" => ["qemu-arm"],
            _ => [],
        };
        string[] command = [.. emulator, copy, .. arguments];
        return new CommandLine(command[0], command[1..]) { TimeOut = TimeSpan.FromMinutes(1) };
    }

    /// <summary>Answers every connection with the same bytes.</summary>
    private sealed class AnsweringServer : IDisposable
    {
        private readonly TcpListener listener = new(IPAddress.Loopback, 0);
        private readonly TaskCompletionSource<string> request = new();

        public AnsweringServer(string answer, TimeSpan pause)
        {
            listener.Start();
            _ = ServeAsync(answer, pause);
        }

        public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

        public Task<string> Request => request.Task;

        public void Dispose() => listener.Dispose();

        private async Task ServeAsync(string answer, TimeSpan pause)
        {
            using var socket = await listener.AcceptSocketAsync();
            var buffer = new byte[4096];
            var length = await socket.ReceiveAsync(buffer);
            request.SetResult(Encoding.ASCII.GetString(buffer, 0, length));
            try
            {
                var bytes = Encoding.ASCII.GetBytes(answer);
                foreach (var part in pause == TimeSpan.Zero ? [bytes] : bytes.Chunk(1))
                {
                    await socket.SendAsync(part);
                    await Task.Delay(pause);
                }
            }
            catch (SocketException)
            {
                // The program has ended.
            }
        }
    }
}

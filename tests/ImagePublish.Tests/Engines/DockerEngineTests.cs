using System.Net;
using System.Net.Sockets;
using ImagePublish.Diagnostics;
using ImagePublish.Engines;
using ImagePublish.Oci;
using Microsoft.Extensions.Time.Testing;

namespace ImagePublish.Tests.Engines;

/// <summary>Endpoints that are not Docker's, and a Docker that dies: one line with the address, whatever is asked.</summary>
public sealed class DockerEngineTests
{
    private const string Area = "Docker";

    private static readonly Dictionary<string, string> Strangers = new()
    {
        ["a web page"] = ForeignEndpoint.Ok("<!DOCTYPE html>\n<html><title>Router</title></html>"),
        ["nothing"] = ForeignEndpoint.Ok(""),
        ["JSON of something else"] = ForeignEndpoint.Ok("""{"status": "up"}"""),
        ["another kind of JSON"] = ForeignEndpoint.Ok("[1]"),
        ["text"] = ForeignEndpoint.Ok("\"OK\""),
        ["a missing page"] = "HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\nConnection: close\r\n\r\nnot found",
        ["no http"] = "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n",
    };

    private static readonly Dictionary<string, Func<DockerEngine, Task>> Questions = new()
    {
        ["ping"] = async engine =>
            throw await engine.TryPingAsync(Cancel) ?? throw new InvalidOperationException("It was taken for Docker."),
        ["layers"] = engine => engine.CountKnownLayersAsync([Digest.Compute([])], Cancel),
        ["find"] = async engine => Assert.Null(await engine.FindImageAsync("acme/shop:1", Cancel)),
        ["load"] = engine => engine.LoadAsync((output, stop) => output.WriteAsync(new byte[1024], stop).AsTask(), Cancel),
        ["save"] = engine => engine.SaveAsync("acme/shop:1", Stream.Null, Cancel),
    };

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static TheoryData<string, string> NotDocker =>
        new(
            Strangers.Keys.SelectMany(stranger =>
                Questions.Keys.Where(question => question != "save").Select(question => (stranger, question))
            )
        );

    [Theory]
    [MemberData(nameof(NotDocker))]
    [ReliabilityCase(Area, "DOCKER_HOST is the address of another kind of server", "IMG3108 with the address and its answer")]
    public async Task WhatIsNotDockerIsNotTakenForIt(string stranger, string question)
    {
        await using var endpoint = new ForeignEndpoint(_ => Strangers[stranger]);
        using var engine = new DockerEngine(endpoint.Address);

        var failure = await RegistryBench.FailsAsync(DiagnosticCodes.EngineFailed, () => Questions[question](engine));

        Assert.Contains(endpoint.Address.ToString(), failure.Message, StringComparison.Ordinal);
        Assert.Contains("DOCKER_HOST", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ping", "/_ping", "O")]
    [InlineData("layers", "/version", "{\"Comp")]
    [InlineData("layers", "/images/json", "[{\"Id\": ")]
    [InlineData("find", "/images/", "{\"Id\": ")]
    [InlineData("load", "/images/load", "{\"stream\": ")]
    [InlineData("save", "/images/", "some bytes of a tar")]
    [ReliabilityCase(Area, "Docker dies while it answers", "IMG3108: the connection was lost")]
    public async Task ADockerThatDiesWhileItAnswersIsSaidToBeLost(string question, string path, string part)
    {
        await using var endpoint = new ForeignEndpoint(request =>
            request.Contains(path, StringComparison.Ordinal) ? ForeignEndpoint.Ok(part, missing: 100) : ForeignEndpoint.Ok("{}")
        );
        using var engine = new DockerEngine(endpoint.Address);

        var failure = await RegistryBench.FailsAsync(DiagnosticCodes.EngineFailed, () => Questions[question](engine));

        Assert.Contains($"The connection to Docker at '{endpoint.Address}' was lost", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ASocketThatIsNotThereIsSaidToBeMissing()
    {
        using var engine = new DockerEngine(new DockerAddress("unix", "/nowhere/docker.sock"));

        var failure = await RegistryBench.FailsAsync(DiagnosticCodes.EngineFailed, () => Questions["layers"](engine));

        Assert.StartsWith(
            "Docker does not answer at 'unix:///nowhere/docker.sock': there is no such socket. Start",
            failure.Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    [ReliabilityCase(Area, "Docker accepts a request and never answers it", "IMG3108 after two minutes")]
    public async Task ADockerThatNeverAnswersIsGivenUpOn()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        var address = new DockerAddress("tcp", $"127.0.0.1:{((IPEndPoint)silent.LocalEndpoint).Port}");
        using var connection = new EngineConnection(address, documentLimit: TimeSpan.FromMilliseconds(50));

        var failure = await RegistryBench.FailsAsync(DiagnosticCodes.EngineFailed, () =>
            connection.GetAsync("version", version => version.ValueKind, Cancel)
        );

        Assert.Contains($"Docker at '{address}' does not answer GET /version", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("load", "takes", "loads the image")]
    [InlineData("load", "answers", "loads the image")]
    [InlineData("save", "answers", "saves 'acme/shop:1'")]
    [InlineData("save", "goes on", "saves 'acme/shop:1'")]
    [ReliabilityCase(Area, "Docker stalls while it loads or saves an image", "IMG3108 after ten minutes without progress")]
    public async Task ADockerThatStallsIsGivenUpOn(string question, string step, string activity)
    {
        await using var endpoint = new StallingEndpoint(readsAll: step != "takes", step == "goes on" ? "HTTP/1.1 200 OK\r\n\r\nsome" : "");
        var time = new FakeTimeProvider();
        using var engine = new DockerEngine(endpoint.Address, time);
        var work = question == "save" ? engine.SaveAsync("acme/shop:1", Stream.Null, Cancel) : engine.LoadAsync(WriteAsync, Cancel);
        await endpoint.Asked;

        while (!work.IsCompleted)
        {
            time.Advance(TimeSpan.FromMinutes(1));
            await Task.Delay(1, Cancel);
        }

        var failure = await RegistryBench.FailsAsync(DiagnosticCodes.EngineFailed, () => work);
        Assert.Contains($"Docker at '{endpoint.Address}' has been silent for", failure.Message, StringComparison.Ordinal);
        Assert.Contains($"10 minutes while it {activity}", failure.Message, StringComparison.Ordinal);

        async Task WriteAsync(Stream output, CancellationToken stop)
        {
            // More than any socket buffers.
            for (var piece = 0; piece < (step == "takes" ? 1024 : 1); piece++)
                await output.WriteAsync(new byte[64 * 1024], stop);
        }
    }

    [Theory]
    [InlineData("load")]
    [InlineData("save")]
    public async Task AStalledDockerDoesNotOutliveACancellation(string question)
    {
        await using var endpoint = new StallingEndpoint(readsAll: true, "");
        using var engine = new DockerEngine(endpoint.Address);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var work =
            question == "save"
                ? engine.SaveAsync("acme/shop:1", Stream.Null, stop.Token)
                : engine.LoadAsync((output, token) => output.WriteAsync(new byte[1024], token).AsTask(), stop.Token);
        await endpoint.Asked;

        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => work);
    }

    // The source's time is not Docker's: a registry may ask to wait for longer than Docker may be silent.
    [Fact]
    public async Task ASlowSourceIsNotTakenForASilentDocker()
    {
        await using var endpoint = new ForeignEndpoint(_ => ForeignEndpoint.Ok("{\"stream\": \"Loaded image: a\"}\n"));
        var time = new FakeTimeProvider();
        using var engine = new DockerEngine(endpoint.Address, time);

        var loaded = await engine.LoadAsync(
            async (output, stop) =>
            {
                time.Advance(TimeSpan.FromHours(1));
                await output.WriteAsync(new byte[1024], stop);
                time.Advance(TimeSpan.FromHours(1));
                await output.WriteAsync(new byte[1024], stop);
                time.Advance(TimeSpan.FromHours(1));
            },
            Cancel
        );

        Assert.Equal("Loaded image: a", loaded);
    }

    [Fact]
    public async Task WhatCanNotBeReadIsNotBlamedOnDocker()
    {
        await using var endpoint = new ForeignEndpoint(_ => ForeignEndpoint.Ok("{}"));
        using var engine = new DockerEngine(endpoint.Address);

        var failure = await RegistryBench.FailsAsync(DiagnosticCodes.UnreadableFile, () =>
            engine.LoadAsync((_, _) => throw new FileNotFoundException("There is no file 'layer.tar.gz'."), Cancel)
        );

        Assert.Contains("layer.tar.gz", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(endpoint.Address.ToString(), failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnImageThatDockerDoesNotHaveIsNotFound()
    {
        await using var endpoint = new ForeignEndpoint(_ =>
            "HTTP/1.1 404 Not Found\r\nContent-Length: 31\r\nConnection: close\r\n\r\n{\"message\": \"No such image: x\"}\n"
        );
        using var engine = new DockerEngine(endpoint.Address);

        Assert.Null(await engine.FindImageAsync("x", Cancel));
    }

    [Fact]
    public async Task ASocketPathThatIsTooLongIsToldInOneLine()
    {
        using var engine = new DockerEngine(new DockerAddress("unix", "/" + new string('x', 200)));

        var failure = await engine.TryPingAsync(Cancel);

        Assert.Equal(DiagnosticCodes.EngineFailed, failure?.Code);
    }
}

using System.Collections.Concurrent;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.DependencyInjection;

namespace ImagePublish.Testing.Clouds;

/// <summary>
/// The services by which CI systems and clouds give tokens, under their own host names: one server by https, one by plain http for what is
/// on a machine's link. Each request is checked as the service documents it, and refused if anything of it is not so. Nobody reaches it by
/// chance: tests lead connections here.
/// </summary>
public sealed class FakeCloud : IAsyncDisposable
{
    // What its certificate is for.
    private static readonly string[] Names =
    [
        "*.actions.githubusercontent.com",
        "dev.azure.com",
        "login.microsoftonline.com",
        "login.microsoftonline.us",
        "login.partner.microsoftonline.cn",
        "login.chinacloudapi.cn",
        "*.eu-west-1.amazonaws.com",
        "*.us-east-1.amazonaws.com",
        "*.cn-north-1.amazonaws.com.cn",
        "*.eu-west-1.api.aws",
        "api.ecr.eu-west-1.amazonaws.com",
        "api.ecr.cn-north-1.amazonaws.com.cn",
        "api.ecr-public.us-east-1.amazonaws.com",
        "*.googleapis.com",
    ];

    private readonly ConcurrentQueue<CloudCall> calls = new();
    private readonly WebApplication app;

    private FakeCloud(TimeProvider time, WebApplication app)
    {
        this.app = app;
        Time = time;
        Ci = new CiServices(this);
        Azure = new AzureServices(this);
        Amazon = new AmazonServices(this);
        Google = new GoogleServices(this);
    }

    public TimeProvider Time { get; }

    public TestCertificateAuthority Authority { get; private init; } = null!;

    /// <summary>Where the https server listens.</summary>
    public IPEndPoint Secure { get; private set; } = null!;

    /// <summary>Where the http server listens, for addresses on the link and this machine.</summary>
    public IPEndPoint Plain { get; private set; } = null!;

    public CiServices Ci { get; }

    public AzureServices Azure { get; }

    public AmazonServices Amazon { get; }

    public GoogleServices Google { get; }

    /// <summary>What was asked, in order.</summary>
    public IReadOnlyList<CloudCall> Calls => [.. calls];

    /// <summary>Answers in place of the service, where it gives an answer.</summary>
    public Func<CloudCall, CloudAnswer?> Instead { get; set; } = _ => null;

    public static async Task<FakeCloud> StartAsync(TimeProvider time, CancellationToken cancellationToken)
    {
        var authority = new TestCertificateAuthority(TimeProvider.System, Names);
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder
            .WebHost.UseKestrelCore()
            .UseKestrelHttpsConfiguration()
            .ConfigureKestrel(kestrel =>
            {
                kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseHttps(authority.Server));
                kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http1);
            });
        var cloud = new FakeCloud(time, builder.Build()) { Authority = authority };
        cloud.app.Run(cloud.AnswerAsync);
        await cloud.app.StartAsync(cancellationToken);
        var addresses = cloud.app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses;
        cloud.Secure = EndPoint(addresses.First());
        cloud.Plain = EndPoint(addresses.Last());
        return cloud;

        static IPEndPoint EndPoint(string address) => new(IPAddress.Loopback, new Uri(address).Port);
    }

    public async ValueTask DisposeAsync()
    {
        await app.StopAsync(new CancellationToken(canceled: true));
        await app.DisposeAsync();
        Authority.Dispose();
        Ci.Dispose();
        Google.AccountKey.Dispose();
    }

    private async Task AnswerAsync(HttpContext http)
    {
        var call = await CloudCall.ReadAsync(http);
        calls.Enqueue(call);
        var answer = Instead(call) ?? Find(call);
        http.Response.StatusCode = answer.Status;
        http.Response.ContentType = answer.MediaType;
        foreach (var (name, value) in answer.Headers)
            http.Response.Headers[name] = value;
        await http.Response.Body.WriteAsync(Encoding.UTF8.GetBytes(answer.Body), http.RequestAborted);
    }

    private CloudAnswer Find(CloudCall call) =>
        (call.IsSecure, call.Host) switch
        {
            (true, "run-actions-1-azure-eastus.actions.githubusercontent.com") => Ci.AnswerGitHub(call),
            (true, "dev.azure.com") => Ci.AnswerAzurePipelines(call),
            (true, var host) when host.StartsWith("login.", StringComparison.Ordinal) => Azure.AnswerEntra(call),
            (true, var host) when host.StartsWith("sts", StringComparison.Ordinal) && host != "sts.googleapis.com" => Amazon.AnswerSts(
                call
            ),
            (true, var host) when host.EndsWith(".googleapis.com", StringComparison.Ordinal) => Google.Answer(call),
            (true, var host) when host.Contains("ecr", StringComparison.Ordinal) => Amazon.AnswerEcr(call),
            (false, "169.254.169.254") when call.Path.StartsWith("/metadata/", StringComparison.Ordinal) => Azure.AnswerMetadata(call),
            (false, "169.254.169.254") when call.Path.StartsWith("/computeMetadata/", StringComparison.Ordinal) => Google.AnswerMetadata(
                call
            ),
            (false, "169.254.169.254") => Amazon.AnswerMetadata(call),
            (false, "169.254.170.2" or "169.254.170.23") => Amazon.AnswerContainer(call),
            (false, _) when call.Path.StartsWith("/msi/", StringComparison.Ordinal) => Azure.AnswerAppService(call),
            _ => CloudAnswer.Json(404, new JsonObject { ["message"] = $"there is no such service: {call}" }),
        };
}

/// <summary>A request as it came.</summary>
public sealed record CloudCall(bool IsSecure, string Method, string Host, string Path, IReadOnlyDictionary<string, string> Query)
{
    public IReadOnlyDictionary<string, string> Headers { get; private init; } = new Dictionary<string, string>();

    public string Body { get; private init; } = "";

    /// <summary>The fields of a form; empty where the body is none.</summary>
    public IReadOnlyDictionary<string, string> Form { get; private init; } = new Dictionary<string, string>();

    public string? Header(string name) => Headers.GetValueOrDefault(name);

    public string? Field(string name) => Form.GetValueOrDefault(name);

    public override string ToString() => $"{Method} {(IsSecure ? "https" : "http")}://{Host}{Path}";

    internal static async Task<CloudCall> ReadAsync(HttpContext http)
    {
        var request = http.Request;
        using var reader = new StreamReader(request.Body, Encoding.UTF8);
        var body = await reader.ReadToEndAsync(http.RequestAborted);
        var isForm = request.ContentType == "application/x-www-form-urlencoded";
        return new CloudCall(
            request.IsHttps,
            request.Method,
            request.Host.Host,
            request.Path.Value ?? "",
            request.Query.ToDictionary(pair => pair.Key, pair => pair.Value.ToString())
        )
        {
            Headers = request.Headers.ToDictionary(pair => pair.Key, pair => pair.Value.ToString(), StringComparer.OrdinalIgnoreCase),
            Body = body,
            Form = isForm ? QueryHelpers.ParseQuery(body).ToDictionary(pair => pair.Key, pair => pair.Value.ToString()) : [],
        };
    }
}

public sealed record CloudAnswer(int Status, string Body, string MediaType = "application/json")
{
    public IReadOnlyDictionary<string, string> Headers { get; init; } = new Dictionary<string, string>();

    public static CloudAnswer Json(int status, JsonObject body) => new(status, body.ToJsonString());

    public static CloudAnswer Text(int status, string text) => new(status, text, "text/plain");
}

using System.Net;
using System.Security.Cryptography;
using ImagePublish.Http;
using ImagePublish.Tests.Trust;

namespace ImagePublish.Tests.Support;

/// <summary>A time-stamp authority on this machine, which is OpenSSL's.</summary>
internal sealed class OpenSslTimeStamps : IAsyncDisposable
{
    private const string Config = """
        [tsa]
        default_tsa = authority
        [authority]
        serial = serial
        signer_cert = tsa.pem
        certs = chain.pem
        signer_key = tsa.key
        signer_digest = sha256
        default_policy = 1.3.6.1.4.1.99999.1
        digests = sha256, sha384, sha512
        ess_cert_id_alg = sha256
        ess_cert_id_chain = no
        tsa_name = no
        accuracy = secs:1
        ordering = no
        """;

    private readonly string folder = Directory.CreateTempSubdirectory("imagepublish-tsa-").FullName;
    private readonly LoopbackServer server;

    public OpenSslTimeStamps(TestAuthority authority)
    {
        using var key = (RSA)TestAuthority.SharedKey("RSA-2048");
        var signer = authority.Issue(key, new LeafOptions { Subject = "CN=Acme time", Purpose = TestAuthority.TimeStamping });
        Write("tsa.cnf", Config);
        Write("tsa.key", key.ExportPkcs8PrivateKeyPem());
        Write("tsa.pem", signer.Leaf.ExportCertificatePem());
        Write("chain.pem", string.Join('\n', signer.Chain.Select(one => one.ExportCertificatePem())));
        Write("serial", "01");
        server = new LoopbackServer(AnswerAsync);
        Address = RequestUrl.TryParse($"{server.Address}/", out var url) ? url : throw new InvalidOperationException(server.Address);
    }

    public RequestUrl Address { get; }

    public int Asked { get; private set; }

    public async ValueTask DisposeAsync()
    {
        await server.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    private void Write(string name, string content) => File.WriteAllText(Path.Combine(folder, name), content);

    private async Task AnswerAsync(HttpListenerContext context)
    {
        Asked++;
        await using (var query = File.Create(Path.Combine(folder, "query")))
            await context.Request.InputStream.CopyToAsync(query);
        await OpenSsl.RunAsync(folder, "ts -reply -config tsa.cnf -section authority -queryfile query -out reply");
        context.Response.ContentType = "application/timestamp-reply";
        await using (context.Response.OutputStream)
            await context.Response.OutputStream.WriteAsync(await File.ReadAllBytesAsync(Path.Combine(folder, "reply")));
    }
}

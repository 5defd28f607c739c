using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace ImagePublish.Tests.Policies;

/// <summary>A file of the corpus: its path in the publish folder and its content.</summary>
public sealed record CorpusFile(string Path, ReadOnlyMemory<byte> Content)
{
    public override string ToString() => Path;
}

/// <summary>
/// Sixty files that should never ship, and sixty that look like them and may. Keys are made by each run: none is in the repository.
/// </summary>
internal sealed class SecretCorpus
{
    private static readonly PbeParameters Strong = new(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, 1000);

    private readonly List<CorpusFile> planted = [];
    private readonly List<CorpusFile> innocent = [];
    private readonly RSA rsa = RSA.Create(2048);
    private readonly ECDsa ec = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    public SecretCorpus()
    {
        AddArmoredKeys();
        AddEmbeddedKeys();
        AddBinaryKeys();
        AddEnvironments();
        AddSettings();
        AddTools();
        AddPublicKeys();
        AddExamples();
        AddOrdinaryFiles();
        AddPlaceholders();
    }

    public IReadOnlyList<CorpusFile> Planted => planted;

    public IReadOnlyList<CorpusFile> Innocent => innocent;

    private string Pkcs8 => rsa.ExportPkcs8PrivateKeyPem();

    private string Encrypted => rsa.ExportEncryptedPkcs8PrivateKeyPem("password", Strong);

    private void AddArmoredKeys()
    {
        Plant("certs/tls.key", Pkcs8);
        Plant("certs/tls.pem", Certificate().ExportCertificatePem() + "\n" + Pkcs8);
        Plant("certs/rsa.pem", rsa.ExportRSAPrivateKeyPem());
        Plant("certs/ec.pem", ec.ExportECPrivateKeyPem());
        Plant("certs/ec-pkcs8.key", ec.ExportPkcs8PrivateKeyPem());
        Plant("certs/encrypted.key", Encrypted);
        Plant("certs/windows.key", Pkcs8.Replace("\n", "\r\n", StringComparison.Ordinal));
        Plant("certs/wide.key", [0xFF, 0xFE, .. Encoding.Unicode.GetBytes(Pkcs8)]);
        Plant("certs/marked.key", [0xEF, 0xBB, 0xBF, .. Encoding.UTF8.GetBytes(Pkcs8)]);
        Plant("key", Pkcs8);
        Plant("backup/server.key.bak", Pkcs8);
        Plant("wwwroot/private.txt", Pkcs8);
        Plant("certs/old.pem", OldEncrypted());
        Plant(".ssh/id_ed25519", OpenSsh("none"));
        Plant(".ssh/id_rsa", OpenSsh("aes256-ctr"));
        Plant("keys/release.asc", Armored("PGP PRIVATE KEY BLOCK", RandomNumberGenerator.GetBytes(600)));
        Plant("keys/deploy.ppk", "PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\nPublic-Lines: 2\nAAAA\nPrivate-Lines: 1\nAAAA\n");
        Plant("certs/notes.conf", "# the key of the server\n\n" + Pkcs8 + "\n# end\n");
    }

    private void AddEmbeddedKeys()
    {
        var escaped = Pkcs8.Replace("\n", "\\n", StringComparison.Ordinal);
        Plant("google.json", $$"""{ "type": "service_account", "private_key": "{{escaped}}\n", "client_email": "a@b.test" }""");
        Plant("appsettings.json", $$"""{ "Jwt": { "SigningKey": "{{escaped}}" } }""");
        Plant(
            "appsettings.Production.json",
            $$"""{ "Saml": { "Key": "{{escaped.Replace("\\n", "\\r\\n", StringComparison.Ordinal)}}" } }"""
        );
        Plant("saml.xml", $"<Saml><Key>\n{Pkcs8}\n</Key></Saml>");
        Plant("deploy/config.yaml", "tls:\n  key: |\n" + string.Join('\n', Pkcs8.Split('\n').Select(line => "    " + line)));
        Plant("deploy/secret.yaml", $"kind: Secret\ndata:\n  tls.key: {Base64(Pkcs8)}\n");
        Plant("kubeconfig", $"users:\n- name: admin\n  user:\n    client-key-data: {Base64(rsa.ExportRSAPrivateKeyPem())}\n");
        Plant("signing.jwk", JsonWebKey());
        Plant("jwks.json", $$"""{ "keys": [ {{JsonWebKey()}} ] }""");
        var protection = Convert.ToBase64String(RandomNumberGenerator.GetBytes(64));
        Plant(
            "keys/key-0d3f9c9e-5b1c-4b7a-9f43-6f5b0c2f6a11.xml",
            $"<key id=\"0d3f9c9e\" version=\"1\"><descriptor><masterKey p4:requiresEncryption=\"true\" xmlns:p4=\"urn:x\">"
                + $"<!-- Warning: the key below is in an unencrypted form. --><value>{protection}</value></masterKey></descriptor></key>"
        );
        Plant("fly.toml", $"[env]\nKEY = \"\"\"\n{Pkcs8}\n\"\"\"\n");
        Plant("deploy.sh", $"#!/bin/sh\ncat > key.pem <<EOF\n{ec.ExportECPrivateKeyPem()}\nEOF\n");
    }

    private void AddBinaryKeys()
    {
        using var certificate = Certificate();
        Plant("certs/server.pfx", certificate.Export(X509ContentType.Pkcs12, "password"));
        Plant("certs/server.p12", certificate.Export(X509ContentType.Pkcs12));
        Plant("aspnetapp.pfx", certificate.ExportPkcs12(Strong, "password"));
        Plant("certs/renamed.dat2", certificate.Export(X509ContentType.Pkcs12, "password"));
        Plant("certs/tls.der", rsa.ExportPkcs8PrivateKey());
        Plant("certs/rsa.der", rsa.ExportRSAPrivateKey());
        Plant("certs/ec.der", ec.ExportECPrivateKey());
        Plant("AuthKey_ABC123.p8", ec.ExportPkcs8PrivateKey());
        Plant("certs/server.jks", [0xFE, 0xED, 0xFE, 0xED, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 1, .. RandomNumberGenerator.GetBytes(900)]);
    }

    private void AddEnvironments()
    {
        Plant(".env", "# local\nDB_HOST=localhost\nDB_PASSWORD=hunter2\n");
        Plant("config/.env", "API_URL=https://api.example.test\n");
        Plant(".env.local", "export STRIPE_KEY=sk_live_1234567890\n");
        Plant(".env.production", "ConnectionStrings__Shop=Server=db;User Id=sa;Pwd=x\r\n");
        Plant("database.env", "POSTGRES_USER=shop\nPOSTGRES_PASSWORD=hunter2\n");
        Plant("wwwroot/.env", "VITE_API=https://api.example.test\n");
    }

    private void AddSettings()
    {
        Plant("secrets.json", """{ "ConnectionStrings:Shop": "Server=db;Password=hunter2" }""");
        Plant("UserSecrets/9a1d/secrets.json", """{ "Smtp": { "Password": "hunter2" } }""");
        Plant("local.settings.json", """{ "Values": { "AzureWebJobsStorage": "AccountName=a;AccountKey=bXkga2V5==;" } }""");
        Plant("deploy/local.settings.json", """{ "Values": { "Bus": "Endpoint=sb://a;SharedAccessKey=bXkga2V5=" } }""");
        Plant("shop.PublishSettings", "<publishData><publishProfile userName=\"$shop\" userPWD=\"hunter2\" /></publishData>");
    }

    private void AddTools()
    {
        Plant("NuGet.Config", NuGet("""<add key="ClearTextPassword" value="hunter2" />"""));
        Plant("build/nuget.config", NuGet("""<add key="Password" value="AQAAANCMnd8BFdERjHoAwE" />"""));
        Plant(".npmrc", "//registry.example.test/:_authToken=npm_1234567890\n");
        Plant("ClientApp/.npmrc", "_auth = dXNlcjpwYXNz\n");
        Plant(".netrc", "machine git.example.test login me password hunter2\n");
        Plant(".git-credentials", "https://me:hunter2@git.example.test\n");
        Plant(".pypirc", "[pypi]\nusername = me\npassword = hunter2\n");
        Plant(".docker/config.json", """{ "auths": { "registry.example.test": { "auth": "dXNlcjpwYXNz" } } }""");
        Plant(".dockerconfigjson", """{"auths":{"registry.example.test":{"auth":"dXNlcjpwYXNz"}}}""");
        Plant(".aws/credentials", "[default]\naws_access_key_id = AKIAEXAMPLE\naws_secret_access_key = wJalrXUtnFEMI/EXAMPLE\n");
    }

    private void AddPublicKeys()
    {
        using var certificate = Certificate();
        var pem = certificate.ExportCertificatePem();
        Spare("certs/ca.crt", pem);
        Spare("certs/ca.pem", pem);
        Spare("certs/chain.pem", pem + "\n" + pem);
        Spare("certs/ca.der", certificate.RawData);
        Spare(
            "certs/trust.p12",
            new X509Certificate2Collection(X509CertificateLoader.LoadCertificate(certificate.RawData)).Export(X509ContentType.Pkcs12, "x")!
        );
        Spare(
            "certs/trust.p7b",
            new X509Certificate2Collection(X509CertificateLoader.LoadCertificate(certificate.RawData)).Export(X509ContentType.Pkcs7)!
        );
        Spare("keys/public.pem", rsa.ExportSubjectPublicKeyInfoPem());
        Spare("keys/public.key", ec.ExportSubjectPublicKeyInfoPem());
        Spare("keys/rsa-public.pem", rsa.ExportRSAPublicKeyPem());
        Spare("keys/public.der", rsa.ExportSubjectPublicKeyInfo());
        Spare("keys/rsa-public.der", rsa.ExportRSAPublicKey());
        Spare("keys/release.pub.asc", Armored("PGP PUBLIC KEY BLOCK", RandomNumberGenerator.GetBytes(600)));
        Spare(".ssh/known_hosts", "git.example.test ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAA\n");
        Spare(".ssh/id_ed25519.pub", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAA me@example.test\n");
        Spare(
            "jwks-public.json",
            """{ "keys": [ { "kty": "RSA", "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78L", "e": "AQAB" } ] }"""
        );
        Spare("shop.snk", rsa.ExportRSAPrivateKey());
        Spare("certs/request.csr", Armored("CERTIFICATE REQUEST", RandomNumberGenerator.GetBytes(300)));
        Spare("certs/dh.pem", Armored("DH PARAMETERS", RandomNumberGenerator.GetBytes(300)));
        Spare("certs/trust.jks", [0xFE, 0xED, 0xFE, 0xED, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, .. RandomNumberGenerator.GetBytes(900)]);
    }

    private void AddExamples()
    {
        Spare("docs/keys.txt", "Write -----BEGIN PRIVATE KEY----- before it and -----END PRIVATE KEY----- after it.");
        Spare("docs/example.pem", "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkq...\n-----END PRIVATE KEY-----\n");
        Spare("docs/example.yaml", "key: |\n  -----BEGIN RSA PRIVATE KEY-----\n  <your key here>\n  -----END RSA PRIVATE KEY-----\n");
        Spare("docs/help.json", """{ "key": "-----BEGIN EC PRIVATE KEY-----\n...\n-----END EC PRIVATE KEY-----" }""");
        Spare("docs/begin.txt", "-----BEGIN OPENSSH PRIVATE KEY-----");
        Spare("docs/empty.pem", "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n");
        Spare(".env.example", "DB_PASSWORD=change-me\n");
        Spare(".env.sample", "API_KEY=your-key\n");
        Spare(".env.template", "TOKEN=…\n");
        Spare(".env.production.example", "TOKEN=…\n");
        Spare("empty/.env", "# nothing is set here\n\n");
        Spare("locale.env", "LANG=en_GB.UTF-8\nTZ=Europe/London\n");
        Spare("README.txt", "Set the password with: export DB_PASSWORD=…\n");
        Spare("docs/netrc.txt", "machine git.example.test login me password …");
        Spare("openapi.json", """{ "components": { "securitySchemes": { "key": { "type": "apiKey", "name": "password" } } } }""");
    }

    private void AddOrdinaryFiles()
    {
        Spare("appsettings.json", """{ "Logging": { "LogLevel": { "Default": "Information" } }, "AllowedHosts": "*" }""");
        Spare("appsettings.Staging.json", """{ "ConnectionStrings": { "Shop": "Server=db;Integrated Security=true" } }""");
        Spare("web.config", "<configuration><system.webServer><aspNetCore processPath=\"dotnet\" /></system.webServer></configuration>");
        Spare("NLog.config", "<nlog><targets><target name=\"file\" /></targets></nlog>");
        Spare("log4net.xml", "<log4net><root><level value=\"INFO\" /></root></log4net>");
        Spare("wwwroot/manifest.json", """{ "name": "Shop", "start_url": "/" }""");
        Spare("wwwroot/robots.txt", "User-agent: *\nDisallow:\n");
        Spare("wwwroot/lib/keyboard.json", """{ "key": "Enter", "d": "right" }""");
        Spare("i18n/en.json", """{ "password": "Password", "secret": "Secret", "token": "Token" }""");
        Spare(
            "Resources/words.txt",
            string.Join('\n', Enumerable.Range(0, 500).Select(number => $"word{number.ToString(CultureInfo.InvariantCulture)}"))
        );
        Spare("data/seed.xml", "<products><product key=\"A1\" value=\"Apple\" /></products>");
        Spare("global.json", """{ "sdk": { "version": "10.0.100" } }""");
        Spare("serviceAccount.yaml", "kind: ServiceAccount\nmetadata:\n  name: shop\n");
        Spare("ocelot.json", """{ "Routes": [ { "UpstreamPathTemplate": "/keys/{everything}" } ] }""");
        Spare("data.bin2", RandomNumberGenerator.GetBytes(4096));
        Spare("model", [0x30, .. RandomNumberGenerator.GetBytes(4096)]);
        Spare("libsettings.conf", "key = value\npath = /var/lib\n");
    }

    private void AddPlaceholders()
    {
        Spare("NuGet.Config", NuGet("""<add key="ClearTextPassword" value="%NUGET_TOKEN%" />"""));
        Spare(
            "tools/nuget.config",
            "<configuration><packageSources><add key=\"feed\" value=\"https://example.test\" /></packageSources></configuration>"
        );
        Spare("build/nuget.config", "<configuration><!-- <add key=\"ClearTextPassword\" value=\"x\" /> --></configuration>");
        Spare(".npmrc", "//registry.example.test/:_authToken=${NPM_TOKEN}\nsave-exact=true\n");
        Spare("secrets.json", "{}");
        Spare("config/secrets.json", """{ "Password": "#{Password}#", "Key": "" }""");
        Spare("local.settings.json", """{ "Values": { "AzureWebJobsStorage": "UseDevelopmentStorage=true" } }""");
        Spare("config.json", """{ "auth": true, "theme": "dark" }""");
        Spare("deploy.env", "DB_PASSWORD=${DB_PASSWORD}\n");
    }

    private static string OldEncrypted()
    {
        var body = Armored("RSA PRIVATE KEY", RandomNumberGenerator.GetBytes(800));
        return body.Replace(
            "KEY-----\n",
            "KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,5B1C4B7A9F436F5B0C2F6A110D3F9C9E\n\n",
            StringComparison.Ordinal
        );
    }

    private static string OpenSsh(string cipher)
    {
        var name = Encoding.ASCII.GetBytes(cipher);
        byte[] key = [.. "openssh-key-v1\0"u8, 0, 0, 0, (byte)name.Length, .. name, .. RandomNumberGenerator.GetBytes(300)];
        return Armored("OPENSSH PRIVATE KEY", key);
    }

    private string JsonWebKey()
    {
        var key = ec.ExportParameters(includePrivateParameters: true);
        return $$"""{ "kty": "EC", "crv": "P-256", "x": "{{Url(key.Q.X!)}}", "y": "{{Url(key.Q.Y!)}}", "d": "{{Url(key.D!)}}" }""";
    }

    private static string Url(byte[] bytes) => System.Buffers.Text.Base64Url.EncodeToString(bytes);

    private static string NuGet(string setting) =>
        $"<configuration><packageSourceCredentials><feed><add key=\"Username\" value=\"me\" />{setting}</feed></packageSourceCredentials></configuration>";

    private static string Base64(string text) => Convert.ToBase64String(Encoding.ASCII.GetBytes(text + "\n"));

    private static string Armored(string label, byte[] content) =>
        $"-----BEGIN {label}-----\n{Convert.ToBase64String(content, Base64FormattingOptions.InsertLineBreaks).Replace("\r", "", StringComparison.Ordinal)}\n-----END {label}-----\n";

    private X509Certificate2 Certificate() =>
        new CertificateRequest("CN=shop", rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1).CreateSelfSigned(
            DateTimeOffset.UnixEpoch.AddYears(50),
            DateTimeOffset.UnixEpoch.AddYears(90)
        );

    private void Plant(string path, string content) => Plant(path, Encoding.UTF8.GetBytes(content));

    private void Plant(string path, byte[] content) => planted.Add(new CorpusFile(path, content));

    private void Spare(string path, string content) => Spare(path, Encoding.UTF8.GetBytes(content));

    private void Spare(string path, byte[] content) => innocent.Add(new CorpusFile(path, content));
}

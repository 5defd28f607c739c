using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Registries.Auth;
using ImagePublish.Registries.Auth.Credentials;
using static ImagePublish.Tests.Registries.Auth.TestMachine;

namespace ImagePublish.Tests.Registries.Auth;

public sealed class CredentialChainTests
{
    private const string Area = "Helpers";

    [Fact]
    public async Task TheOrderIsOursThenDockersThenPodmansThenTheCiSystems()
    {
        using var machine = new TestMachine();
        machine.Set("GITHUB_TOKEN", "ci").Set("GITHUB_ACTOR", "ci");
        Assert.Equal("ci", await UserAsync());
        machine.Write(machine.AuthFile, Config("config"));
        Assert.Equal("config", await UserAsync());
        machine
            .Set("XDG_RUNTIME_DIR", Path.Combine(machine.Home, "run"))
            .Write(Path.Combine(machine.Home, "run", "containers", "auth.json"), Config("runtime"));
        Assert.Equal("runtime", await UserAsync());
        machine.Set("REGISTRY_AUTH_FILE", Path.Combine(machine.Home, "r.json")).Write(Path.Combine(machine.Home, "r.json"), Config("file"));
        Assert.Equal("file", await UserAsync());
        machine.Write(machine.DockerConfig, Config("docker"));
        Assert.Equal("docker", await UserAsync());
        machine
            .Set("DOCKER_CONFIG", Path.Combine(machine.Home, "d"))
            .Write(Path.Combine(machine.Home, "d", "config.json"), Config("elsewhere"));
        Assert.Equal("elsewhere", await UserAsync());
        machine.Set("DOCKER_AUTH_CONFIG", Config("variable"));
        Assert.Equal("variable", await UserAsync());
        machine.Set("IMAGE_REGISTRY_USERNAME__ghcr_io", "ours").Set("IMAGE_REGISTRY_PASSWORD__ghcr_io", "x");
        Assert.Equal("ours", await UserAsync());

        async Task<string?> UserAsync() => (await machine.FindAsync("ghcr.io"))?.Username;
        static string Config(string user) => Auths(("ghcr.io", user + ":x"));
    }

    [Fact]
    public async Task VariablesWithoutAHostAreForTheSoleRegistryOnly()
    {
        using var machine = new TestMachine { SoleRegistry = Registry.Parse("ghcr.io") };
        machine.Set("IMAGE_REGISTRY_USERNAME", "ada").Set("IMAGE_REGISTRY_PASSWORD", "pw");

        Assert.Equal(Credential.Create("ada", "pw"), await machine.FindAsync("ghcr.io"));
        Assert.Null(await machine.FindAsync("mcr.microsoft.com"));
    }

    [Theory]
    [InlineData("localhost:5000", "localhost_5000")]
    [InlineData("my-acr.azurecr.io", "MY_ACR_AZURECR_IO")]
    [InlineData("123456789012.dkr.ecr.us-east-1.amazonaws.com", "123456789012_dkr_ecr_us_east_1_amazonaws_com")]
    [InlineData("europe-west1-docker.pkg.dev", "europe_west1_docker_pkg_dev")]
    [InlineData("my-registry:5000", "my_registry_5000")]
    [InlineData("docker.io", "docker_io")]
    [InlineData("[::1]:5000", "___1__5000")]
    public async Task AHostsVariablesAreNamedAfterIt(string registry, string suffix)
    {
        using var machine = new TestMachine();
        machine.Set("IMAGE_REGISTRY_USERNAME__" + suffix, "ada").Set("IMAGE_REGISTRY_PASSWORD__" + suffix, "p:w;%3B=\"ü");

        Assert.Equal(Credential.Create("ada", "p:w;%3B=\"ü"), await machine.FindAsync(registry));
    }

    [Theory]
    [InlineData("registry-acme.com", "IMAGE_REGISTRY_PASSWORD__registry_acme_com", "registry.acme.com")]
    [InlineData("x.registry-acme.co.uk", "IMAGE_REGISTRY_PASSWORD__x_registry_acme_co_uk", "x.registry.acme.co.uk")]
    [InlineData("registry.acme-com", "IMAGE_REGISTRY_PASSWORD__registry_acme_com", "registry.acme.com")]
    [ReliabilityCase(
        "Security",
        "variables for registry.acme.com, and an image at registry-acme.com",
        "IMG5011 says what to set; the password is not sent"
    )]
    public async Task ALookAlikeHostDoesNotGetTheVariables(string host, string variable, string meant)
    {
        using var machine = new TestMachine();
        machine.Set(variable.Replace("PASSWORD", "USERNAME", StringComparison.Ordinal), "ada").Set(variable, "pw");

        var failure = await Assert.ThrowsAsync<ImagePublishException>(() => machine.FindAsync(host));

        Assert.Equal("IMG5011", failure.Code.Id);
        Assert.Contains($"{variable} could be for {host} or for {meant}", failure.Message, StringComparison.Ordinal);
        Assert.Contains(
            $"set {variable.Replace("PASSWORD", "HOST", StringComparison.Ordinal)} to that host",
            failure.Message,
            StringComparison.Ordinal
        );
        Assert.Equal(Credential.Create("ada", "pw"), await machine.FindAsync(meant));
    }

    [Fact]
    public async Task OfTwoRegistriesThatAVariableFitsNeitherGetsIt()
    {
        using var machine = new TestMachine { Registries = [Registry.Parse("registry.acme.com"), Registry.Parse("registry-acme.com")] };
        machine.Set("IMAGE_REGISTRY_USERNAME__registry_acme_com", "ada").Set("IMAGE_REGISTRY_PASSWORD__registry_acme_com", "pw");

        Assert.Equal("IMG5011", (await Assert.ThrowsAsync<ImagePublishException>(() => machine.FindAsync("registry.acme.com"))).Code.Id);
        Assert.Equal("IMG5011", (await Assert.ThrowsAsync<ImagePublishException>(() => machine.FindAsync("registry-acme.com"))).Code.Id);
        machine.Set("IMAGE_REGISTRY_HOST__registry_acme_com", "registry-acme.com");
        Assert.Equal(Credential.Create("ada", "pw"), await machine.FindAsync("registry-acme.com"));
        Assert.Null(await machine.FindAsync("registry.acme.com"));
    }

    [Fact]
    public async Task AVariableNamesItsHost()
    {
        using var machine = new TestMachine();
        machine
            .Set("IMAGE_REGISTRY_HOST__PROD", "my-registry.acme.com:5000")
            .Set("IMAGE_REGISTRY_USERNAME__PROD", "ada")
            .Set("IMAGE_REGISTRY_PASSWORD__PROD", "pw");
        machine.Set("IMAGE_REGISTRY_HOST__azure", "mine.azurecr.io").Set("IMAGE_REGISTRY_ENTRA_TOKEN__azure", "entra");
        machine
            .Set("IMAGE_REGISTRY_HOST__PUBLIC", "docker.io")
            .Set("IMAGE_REGISTRY_USERNAME__PUBLIC", "bob")
            .Set("IMAGE_REGISTRY_PASSWORD__PUBLIC", "hub");

        Assert.Equal(Credential.Create("ada", "pw"), await machine.FindAsync("my-registry.acme.com:5000"));
        Assert.Equal(new Credential { EntraToken = "entra" }, await machine.FindAsync("mine.azurecr.io"));
        Assert.Equal(Credential.Create("bob", "hub"), await machine.FindAsync("docker.io"));
        Assert.Null(await machine.FindAsync("my-registry.acme.com"));
        Assert.Equal("ada", LoginVariables.Username(machine.Environment, Registry.Parse("my-registry.acme.com:5000")));
    }

    [Fact]
    public async Task AVariableWithAMalformedHostIsAnError()
    {
        using var machine = new TestMachine();
        machine.Set("IMAGE_REGISTRY_HOST__PROD", "https://registry.acme.com/");

        var failure = await Assert.ThrowsAsync<ImagePublishException>(() => machine.FindAsync("ghcr.io"));

        Assert.StartsWith(
            "The environment variable IMAGE_REGISTRY_HOST__PROD is not a registry's host",
            failure.Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task HalfACredentialInTheEnvironmentIsAnError()
    {
        using var machine = new TestMachine();
        machine.Set("IMAGE_REGISTRY_USERNAME__ghcr_io", "ada").Set("IMAGE_REGISTRY_PASSWORD__ghcr_io", "");

        var exception = await Assert.ThrowsAsync<ImagePublishException>(() => machine.FindAsync("ghcr.io"));

        Assert.Contains("IMAGE_REGISTRY_PASSWORD__ghcr_io is not or is empty", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ACiIdentityIsForItsOwnHostOnly()
    {
        using var machine = new TestMachine();
        machine
            .Set("GITHUB_TOKEN", "gh")
            .Set("GITHUB_ACTOR", "octocat")
            .Set("CI_REGISTRY", "registry.example.org:5050")
            .Set("CI_JOB_TOKEN", "job");

        Assert.Equal(Credential.Create("octocat", "gh"), await machine.FindAsync("ghcr.io"));
        Assert.Equal(Credential.Create("gitlab-ci-token", "job"), await machine.FindAsync("registry.example.org:5050"));
        Assert.Null(await machine.FindAsync("registry.example.org"));
        Assert.Null(await machine.FindAsync("x.ghcr.io"));
        Assert.Null(await machine.FindAsync("docker.io"));
    }

    [Fact]
    public async Task AnEntraTokenIsForTheHostItWasGivenFor()
    {
        using var machine = new TestMachine();
        machine.Set("IMAGE_REGISTRY_ENTRA_TOKEN__mine_azurecr_io", "entra").Set("IMAGE_REGISTRY_ENTRA_TOKEN", "unscoped");

        Assert.Equal(new Credential { EntraToken = "entra" }, await machine.FindAsync("mine.azurecr.io"));
        Assert.Null(await machine.FindAsync("yours.azurecr.io"));
    }

    [Theory]
    [InlineData("https://index.docker.io/v1/")]
    [InlineData("https://index.docker.io/v1")]
    [InlineData("index.docker.io")]
    [InlineData("docker.io")]
    [InlineData("registry-1.docker.io")]
    [InlineData("https://registry-1.docker.io/v2/")]
    [InlineData("http://docker.io")]
    public async Task DockerHubHasManyNames(string key)
    {
        using var machine = new TestMachine();
        machine.Write(machine.DockerConfig, Auths((key, "ada:pw")));

        Assert.Equal(Credential.Create("ada", "pw"), await machine.FindAsync("docker.io"));
    }

    [Theory]
    [InlineData("a/b", "org")]
    [InlineData("a/b/c", "org")]
    [InlineData("a/bc", "a")]
    [InlineData("a", "a")]
    [InlineData("ab", "host")]
    [InlineData(null, "host")]
    [ReliabilityCase(Area, "prefixes", "the most specific key wins, at whole parts of a name")]
    public async Task TheMostSpecificKeyWins(string? repository, string user)
    {
        using var machine = new TestMachine();
        machine.Write(
            machine.AuthFile,
            Auths(("registry.example.com", "host:x"), ("registry.example.com/a", "a:x"), ("registry.example.com/a/b", "org:x"))
        );

        Assert.Equal(user, (await machine.FindAsync(repository: repository))?.Username);
    }

    [Fact]
    [ReliabilityCase(Area, "empty entry", "asks the helper, otherwise continues without credentials")]
    public async Task AnEmptyEntryMeansToAskTheHelper()
    {
        using var machine = new TestMachine();
        machine.Helper("test", """echo '{"Username":"ada","Secret":"x"}'""");
        machine.Write(machine.DockerConfig, """{"auths":{"registry.example.com":{}}}""");
        Assert.Null(await machine.FindAsync());
        machine.Write(machine.DockerConfig, """{"auths":{"registry.example.com":{}},"credsStore":"test"}""");
        Assert.Equal("ada", (await machine.FindAsync())?.Username);
    }

    [Theory]
    [InlineData("""{"auths":{"registry.example.com":{"auth":"c3VwM3JzZWNyZXQ"}}}""")]
    [InlineData("""{"auths":{"registry.example.com":{"auth":"c3VwM3JzZWNyZXQ="}}}""")]
    [InlineData("""{"auths":{"registry.example.com":{"auth":"sup3rsecret!"}}}""")]
    [InlineData("""{"auths":{"registry.example.com":{"auth":"sup3rsecret""")]
    [InlineData("""["sup3rsecret"]""")]
    [InlineData("sup3rsecret")]
    [ReliabilityCase(Area, "malformed config", "one clear error with the file and no secret")]
    public async Task AMalformedConfigIsAnErrorWithThePathAndNoSecret(string text)
    {
        using var machine = new TestMachine();
        machine.Write(machine.DockerConfig, text);

        var exception = await Assert.ThrowsAsync<ImagePublishException>(() => machine.FindAsync());

        Assert.Equal(DiagnosticCodes.CredentialsUnusable, exception.Code);
        Assert.Contains(machine.DockerConfig, exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("sup3rsecret", exception.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("c3VwM3", exception.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnotherHostsBrokenEntryDoesNotMatter()
    {
        using var machine = new TestMachine();
        machine.Write(
            machine.DockerConfig,
            """{"auths":{"other.example.com":{"auth":"!"},"not a host":7,"registry.example.com":{"auth":"YWRhOnB3"}},"credHelpers":[]}"""
        );

        Assert.Equal("ada", (await machine.FindAsync())?.Username);
    }

    [Fact]
    public async Task EverythingThatClientsWriteIsUnderstood()
    {
        using var machine = new TestMachine();
        machine.Write(
            machine.DockerConfig,
            "\uFEFF"
                + """
                {"auths":{"a.io":{"auth":"YWRhOnA6dwAA"},"b.io":{"username":"bob","password":"pw"},"https://c.io/v2/":{"auth":"PHRva2VuPjo=","identitytoken":"id"},
                "d.io/v1/":{"registrytoken":"reg"},"e.io":{"auth":"","identitytoken":"only"}}}
                """
        );

        Assert.Equal(Credential.Create("ada", "p:w"), await machine.FindAsync("a.io"));
        Assert.Equal(Credential.Create("bob", "pw"), await machine.FindAsync("b.io"));
        Assert.Equal("id", (await machine.FindAsync("c.io"))?.IdentityToken);
        Assert.Equal(new Credential { RegistryToken = "reg" }, await machine.FindAsync("d.io"));
        Assert.Equal(new Credential { IdentityToken = "only" }, await machine.FindAsync("e.io"));
    }

    [Fact]
    public async Task AFolderInPlaceOfAFileIsAnError()
    {
        using var machine = new TestMachine();
        Directory.CreateDirectory(machine.DockerConfig);

        Assert.Equal(
            DiagnosticCodes.CredentialsUnusable,
            (await Assert.ThrowsAsync<ImagePublishException>(() => machine.FindAsync())).Code
        );
    }

    [Fact]
    public void ACredentialDoesNotShowItsSecrets()
    {
        var text = new Credential
        {
            Username = "sup3r",
            Password = "sup3r",
            IdentityToken = "sup3r",
            RegistryToken = "sup3r",
            EntraToken = "sup3r",
        }.ToString();

        Assert.DoesNotContain("sup3r", text, StringComparison.Ordinal);
    }
}

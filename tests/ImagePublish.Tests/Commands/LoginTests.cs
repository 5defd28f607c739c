using ImagePublish.Commands;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Registries;
using ImagePublish.Registries.Auth;
using ImagePublish.Registries.Auth.Credentials;
using ImagePublish.Registries.Connection;
using ImagePublish.Testing;
using ImagePublish.Tests.Registries;

namespace ImagePublish.Tests.Commands;

public sealed class LoginTests
{
    [Theory]
    [InlineData(AuthSchemes.Basic)]
    [InlineData(AuthSchemes.Bearer)]
    public async Task OnlyARightPasswordIsKept(AuthSchemes schemes)
    {
        var cancel = TestContext.Current.CancellationToken;
        await using var server = await TestRegistry.StartAsync(
            options =>
            {
                options.Auth.Schemes = schemes;
                options.Auth.Users["me"] = "pässword:1";
            },
            cancel
        );
        using var home = new TempFolder();
        var environment = new CredentialEnvironment { Variable = _ => null, HomeFolder = home.Path };
        var login = new RegistryLogin(new RegistryClientOptions(), environment, new TestLog(), TimeProvider.System);
        var registry = Registry.Parse(server.Host);
        var file = Path.Combine(home.Path, ".docker", "config.json");

        var failure = await RegistryBench.FailsAsync(DiagnosticCodes.Unauthorized, () =>
            login.LoginAsync(registry, Credential.Create("me", "wrong-secret"), cancel)
        );
        Assert.DoesNotContain("wrong-secret", failure.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(file));

        var place = await login.LoginAsync(registry, Credential.Create("me", "pässword:1"), cancel);
        Assert.Equal((file, false), (place.Place, place.IsHelper));
        Assert.Equal("pässword:1", (await new CredentialChain(environment).FindAsync(registry, null, cancel))!.Password);

        Assert.True((await login.LogoutAsync(registry, cancel)).Changed);
        Assert.False((await login.LogoutAsync(registry, cancel)).Changed);
    }
}

using ImagePublish.Oci;

namespace ImagePublish.Tests.Registries.Auth;

/// <summary>
/// The .NET SDK's variables name no host: they are for the registry that an image goes to, or for that of its base, and for no other.
/// </summary>
public sealed class SdkCredentialsTests
{
    private const string Pushed = "acme.azurecr.io";
    private const string Base = "mirror.example.com";

    [Theory]
    [InlineData("DOTNET_CONTAINER_PUSH_REGISTRY", true, false)]
    [InlineData("DOTNET_CONTAINER_REGISTRY", true, false)]
    [InlineData("SDK_CONTAINER_REGISTRY", true, false)]
    [InlineData("DOTNET_CONTAINER_PULL_REGISTRY", false, true)]
    [InlineData("SDK_CONTAINER_PUSH_REGISTRY", false, false)]
    [ReliabilityCase(
        "Security",
        "the .NET SDK's DOTNET_CONTAINER_REGISTRY_PWORD, and a base or a cache in another registry",
        "only the image's registry gets it; the PULL variables go only to the base's registry"
    )]
    public async Task EachIsForOneRegistry(string prefix, bool isForPushed, bool isForBase)
    {
        using var machine = Machine(Pushed, Base);
        machine.Set($"{prefix}_UNAME", "ada").Set($"{prefix}_PWORD", "pw");

        Assert.Equal(isForPushed, await machine.FindAsync(Pushed) is not null);
        Assert.Equal(isForBase, await machine.FindAsync(Base) is not null);
        Assert.Null(await machine.FindAsync("ghcr.io"));
    }

    [Fact]
    public async Task TheMoreSpecificOneDecides()
    {
        using var machine = Machine(Pushed, Pushed);
        machine.Set("DOTNET_CONTAINER_PULL_REGISTRY_UNAME", "pull").Set("DOTNET_CONTAINER_PULL_REGISTRY_PWORD", "x");
        Assert.Equal("pull", (await machine.FindAsync(Pushed))?.Username);
        machine.Set("SDK_CONTAINER_REGISTRY_UNAME", "legacy").Set("SDK_CONTAINER_REGISTRY_PWORD", "x");
        Assert.Equal("legacy", (await machine.FindAsync(Pushed))?.Username);
        machine.Set("DOTNET_CONTAINER_REGISTRY_UNAME", "both").Set("DOTNET_CONTAINER_REGISTRY_PWORD", "x");
        Assert.Equal("both", (await machine.FindAsync(Pushed))?.Username);
        machine.Set("DOTNET_CONTAINER_PUSH_REGISTRY_UNAME", "push").Set("DOTNET_CONTAINER_PUSH_REGISTRY_PWORD", "x");
        Assert.Equal("push", (await machine.FindAsync(Pushed))?.Username);
        machine.Set("IMAGE_REGISTRY_USERNAME__acme_azurecr_io", "ours").Set("IMAGE_REGISTRY_PASSWORD__acme_azurecr_io", "x");
        Assert.Equal("ours", (await machine.FindAsync(Pushed))?.Username);
    }

    [Theory]
    [InlineData("ada", null)]
    [InlineData(null, "pw")]
    [InlineData("ada", "")]
    public async Task HalfOfThemIsNone(string? username, string? password)
    {
        using var machine = Machine(Pushed, Base);
        if (username is not null)
            machine.Set("DOTNET_CONTAINER_REGISTRY_UNAME", username);
        if (password is not null)
            machine.Set("DOTNET_CONTAINER_REGISTRY_PWORD", password);

        Assert.Null(await machine.FindAsync(Pushed));
    }

    [Fact]
    public async Task TheyComeBeforeDockersFiles()
    {
        using var machine = Machine(Pushed, Base);
        machine.Write(machine.DockerConfig, TestMachine.Auths((Pushed, "file:x")));
        machine.Set("DOTNET_CONTAINER_REGISTRY_UNAME", "ada").Set("DOTNET_CONTAINER_REGISTRY_PWORD", "pw");

        Assert.Equal("ada", (await machine.FindAsync(Pushed))?.Username);
    }

    private static TestMachine Machine(string pushed, string from) =>
        new() { PushRegistry = Registry.Parse(pushed), BaseRegistry = Registry.Parse(from) };
}

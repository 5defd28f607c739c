using ImagePublish.Tasks.Tests.Fixtures;
using ImagePublish.Testing;

namespace ImagePublish.Tasks.Tests.EndToEnd;

/// <summary>A publish signs in while the project compiles, in the session in which it publishes.</summary>
public sealed class EarlySignInTests(Peers peers)
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    [ReliabilityCase(
        "Sign-in",
        "a registry with a password, and a base image in another registry",
        "one early request is refused; all other requests of the publish are signed in"
    )]
    public async Task OnlyTheEarlyQuestionIsRefused()
    {
        await using var registry = await TestRegistry.StartAsync(
            options =>
            {
                options.Auth.Schemes = AuthSchemes.Bearer;
                options.Auth.Users["me"] = "secret";
            },
            Cancelled
        );
        using var workspace = await peers.WorkspaceAsync();
        var mirror = await peers.RegistryAsync();
        var project = workspace.Empty("App").WithImagePublish().Property("OutputType", "Exe").Content("Program.cs", "return;");
        string[] switches =
        [
            "-p:PublishImage=true",
            $"-p:ImageRegistry={registry.Host}",
            "-p:ImageRepository=acme/shop",
            "-p:ImageTags=1.0",
            $"-p:ImageBase={mirror.Host}/dotnet/aspnet:10.0",
            "-p:ImageDoctor=Off",
        ];
        var command = project.Command("publish", switches);
        command = command with
        {
            Environment = new Dictionary<string, string?>(command.Environment)
            {
                ["IMAGE_REGISTRY_USERNAME"] = "me",
                ["IMAGE_REGISTRY_PASSWORD"] = "secret",
            },
        };

        (await project.RunInNewProcessAsync(command, Cancelled)).EnsureSuccess();

        var refused = Assert.Single(registry.Requests, request => request.Status == 401);
        Assert.Equal(RegistryStep.Ping, refused.Step);
        Assert.Same(registry.Requests.First(), refused);
        Assert.Equal(["1.0"], registry.Content.Tags("acme/shop").Keys);
    }
}

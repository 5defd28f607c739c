using ImagePublish.Tasks.Tests.Support;
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
        await using var registry = await PrivateShop.StartRegistryAsync(Cancelled);
        using var workspace = await peers.WorkspaceAsync();
        var mirror = await peers.RegistryAsync();
        var project = PrivateShop.Create(workspace);
        var publish = PrivateShop.Publish(project, registry, mirror);

        (await project.RunInNewProcessAsync(publish, Cancelled)).EnsureSuccess();

        var refused = Assert.Single(registry.Requests, request => request.Status == 401);
        Assert.Equal(RegistryStep.Ping, refused.Step);
        Assert.Same(registry.Requests.First(), refused);
        Assert.Equal(["1.0"], registry.Content.Tags("acme/shop").Keys);
    }
}

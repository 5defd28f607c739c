using ImagePublish.Tasks.Tests.Support;
using ImagePublish.Testing;

namespace ImagePublish.Tasks.Tests.EndToEnd;

/// <summary>A publish signs in and reads its base while the project compiles, in the session in which it publishes.</summary>
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

    [Fact]
    public async Task TheBaseIsReadWhileTheProjectCompilesAndNotOnceMore()
    {
        await using var registry = await TestRegistry.StartAsync(cancellationToken: Cancelled);
        registry.SeedIndex("dotnet/runtime", "10.0");
        using var workspace = await peers.WorkspaceAsync();
        var hasRead = workspace["base-is-read"];
        var noteConfig = FaultAction.Custom("notes that the config is read", async (_, _, next) =>
        {
            await next();
            await File.WriteAllTextAsync(hasRead, "", Cancelled);
        });
        registry.Faults.Add(new Fault(RegistryStep.BlobGet, noteConfig));
        var wait = $"""<Exec Command="timeout 60 sh -c 'until [ -e {hasRead} ]; do sleep 0.1; done'" />""";
        var project = workspace
            .Empty("App")
            .WithImagePublish()
            .Property("OutputType", "Exe")
            .Property("ImageBaseRegistry", registry.Host)
            .Property("ImageDoctor", "Off")
            .Content("Program.cs", "return;")
            .Element($"""<Target Name="CompileWhenTheBaseIsRead" BeforeTargets="CoreCompile">{wait}</Target>""");
        var publish = project.Command("publish", ["-p:PublishImage=true", $"-p:ImageName={registry.Host}/acme/app:1.0"]);

        (await project.RunInNewProcessAsync(publish, Cancelled)).EnsureSuccess();

        var ofBase = registry.Requests.Where(request => request.Path.Contains("/dotnet/runtime/", StringComparison.Ordinal));
        Assert.Equal([RegistryStep.ManifestGet, RegistryStep.ManifestGet, RegistryStep.BlobGet], ofBase.Select(request => request.Step));
        Assert.Equal(["1.0"], registry.Content.Tags("acme/app").Keys);
    }
}

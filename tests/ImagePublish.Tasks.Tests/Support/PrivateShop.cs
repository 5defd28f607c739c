using ImagePublish.Testing;

namespace ImagePublish.Tasks.Tests.Support;

/// <summary>A small app that is published as <c>acme/shop:1.0</c> to a registry with a password, on a base of another registry.</summary>
internal static class PrivateShop
{
    public const string User = "alice";
    public const string Password = "registry-password";

    public static Task<TestRegistry> StartRegistryAsync(CancellationToken cancellationToken) =>
        TestRegistry.StartAsync(
            options =>
            {
                options.Auth.Schemes = AuthSchemes.Bearer;
                options.Auth.Users[User] = Password;
            },
            cancellationToken
        );

    public static TestProject Create(TestWorkspace workspace) =>
        workspace.Empty("App").WithImagePublish().Property("OutputType", "Exe").Content("Program.cs", "return;");

    /// <summary>The publish, signed in by variables.</summary>
    /// <param name="variables">Further ones.</param>
    public static CommandLine Publish(
        TestProject project,
        TestRegistry registry,
        DockerRegistry mirror,
        string[]? switches = null,
        params IEnumerable<(string Name, string Value)> variables
    )
    {
        var command = project.Command(
            "publish",
            [
                "-p:PublishImage=true",
                $"-p:ImageRegistry={registry.Host}",
                "-p:ImageRepository=acme/shop",
                "-p:ImageTags=1.0",
                $"-p:ImageBase={mirror.Host}/dotnet/aspnet:10.0",
                "-p:ImageDoctor=Off",
                .. switches ?? [],
            ]
        );
        var environment = new Dictionary<string, string?>(command.Environment)
        {
            ["IMAGE_REGISTRY_USERNAME"] = User,
            ["IMAGE_REGISTRY_PASSWORD"] = Password,
        };
        foreach (var (name, value) in variables)
            environment[name] = value;
        return command with { Environment = environment };
    }
}

namespace ImagePublish.Tasks.Tests.Support;

/// <summary>A small app that is published as <c>acme/shop:1.0</c> on no base and signed, and what a registry has of it then.</summary>
internal static class SignedShop
{
    private static readonly HttpClient Http = new();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public static TestProject Create(TestWorkspace workspace) =>
        workspace.Empty("App").WithImagePublish().Property("OutputType", "Exe").Content("Program.cs", "return;");

    public static Task<BuildOutput> PublishAsync(TestProject project, string registry, string[] arguments) =>
        project.RunAsync(Command(project, registry, arguments), Cancelled);

    public static CommandLine Command(TestProject project, string registry, params string[] arguments) =>
        project.Command(
            "publish",
            [
                "-p:PublishImage=true",
                $"-p:ImageRegistry={registry}",
                "-p:ImageRepository=acme/shop",
                "-p:ImageTags=1.0",
                "-p:ImageBase=scratch",
                "-p:ImageDoctor=Off",
                .. arguments,
            ]
        );

    /// <summary>Publishes it again: nothing is written.</summary>
    public static async Task RequireUnchangedAsync(TestProject project, DockerRegistry registry, string[] arguments)
    {
        registry.ForgetRequests();
        var again = (await PublishAsync(project, registry.Host, arguments)).EnsureSuccess();
        Assert.Contains("(unchanged)", again.Command.All, StringComparison.Ordinal);
        Assert.DoesNotContain(registry.Requests, request => request.Method is "PUT" or "POST");
    }

    public static Task<BuildOutput> VerifyAsync(TestProject project, string registry, string trust, params string[] arguments) =>
        project.TargetAsync(
            "VerifyImage",
            Cancelled,
            [$"-p:ImageSource={registry}/acme/shop:1.0", $"-p:ImageBaseTrust={trust}", .. arguments]
        );

    /// <summary>What the registry has at a path of the repository.</summary>
    /// <param name="type">The media type that is accepted.</param>
    public static async Task<string> GetAsync(string registry, string path, string type)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri($"http://{registry}/v2/acme/shop/{path}"));
        request.Headers.TryAddWithoutValidation("Accept", type);
        using var response = await Http.SendAsync(request, Cancelled);
        return await response.EnsureSuccessStatusCode().Content.ReadAsStringAsync(Cancelled);
    }

    public static Task OpenSslAsync(TestWorkspace workspace, params string[] arguments) =>
        new CommandLine("openssl", arguments) { WorkingDirectory = workspace.Path }.SucceedAsync(Cancelled);
}

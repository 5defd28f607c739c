using ImagePublish.Tasks.Tests.Support;
using ImagePublish.Testing;

namespace ImagePublish.Tasks.Tests.Secrets;

/// <summary>Passwords and tokens of real builds are nowhere but where the user put them.</summary>
public sealed class SecretsTests(Peers peers)
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task ABuildThatSignsInEveryWayWritesNoSecretAnywhere()
    {
        var (variable, file, helper) = (Canary.Login("variable"), Canary.Login("file"), Canary.Login("helper"));
        await using var passwords = await DockerRegistry.StartAsync(
            new DockerRegistryOptions { UserName = variable.User, Password = variable.Password },
            Cancelled
        );
        await using var fileTokens = await TokenServer.StartAsync(file.User, file.Password, Cancelled);
        await using var fileRegistry = await fileTokens.StartRegistryAsync(Cancelled);
        await using var helperTokens = await TokenServer.StartAsync(helper.User, helper.Password, Cancelled);
        await using var helperRegistry = await helperTokens.StartRegistryAsync(Cancelled);
        using var workspace = await peers.WorkspaceAsync();
        var cacheKey = Canary.Login("cache key");
        var signIn = new SignIn(workspace)
            .CacheSecret(cacheKey.Password)
            .Variables(passwords.Host, variable.User, variable.Password)
            .File(fileRegistry.Host, file.User, file.Password)
            .Helper(helperRegistry.Host, helper.User, helper.Password);

        var build = await PublishAsync(workspace, signIn, $"{passwords.Host} {fileRegistry.Host} {helperRegistry.Host}");

        build.EnsureSuccess();
        Assert.Equal(3, build.PublishedImages.Count);
        Assert.All([fileTokens, helperTokens], tokens => Assert.NotEmpty(tokens.HandedOut));
        var tokens = fileTokens.HandedOut.Concat(helperTokens.HandedOut).Select(Canary.Token);
        await AssertNothingLeaksAsync(workspace, signIn, build, [variable.Canary, file.Canary, helper.Canary, cacheKey.Canary, .. tokens]);
    }

    [Fact]
    public async Task ABuildThatIsRefusedWritesNoSecretEvenIfTheTokenServerRepeatsIt()
    {
        var (user, password, canary) = Canary.Login("variable");
        await using var tokens = await TokenServer.StartAsync(user, "another", Cancelled);
        var said = $$"""{"errors":[{"code":"DENIED","message":"{{user}} may not push with the password {{password}}"}]}""";
        tokens.Server.Faults.Add(new Fault(RegistryStep.Token, FaultAction.Status(403, said, "application/json")) { Times = Fault.Always });
        await using var registry = await tokens.StartRegistryAsync(Cancelled);
        using var workspace = await peers.WorkspaceAsync();
        var signIn = new SignIn(workspace).Variables(registry.Host, user, password);

        var build = await PublishAsync(workspace, signIn, registry.Host);

        Assert.StartsWith("error IMG5001: ", Assert.Single(build.Errors).ToString(), StringComparison.Ordinal);
        Assert.NotEmpty(tokens.Server.Requests.Of(RegistryStep.Token));
        await AssertNothingLeaksAsync(workspace, signIn, build, [canary]);
    }

    [Fact]
    public async Task ABuildThatIsSentElsewhereForATokenWritesNoSecret()
    {
        var (user, password, canary) = Canary.Login("helper");
        await using var tokens = await TokenServer.StartAsync(user, password, Cancelled);
        var foreign = new DockerRegistryOptions { Configuration = tokens.ConfigurationFor(new Uri("https://tokens.example.com/token")) };
        await using var registry = await DockerRegistry.StartAsync(foreign, Cancelled);
        using var workspace = await peers.WorkspaceAsync();
        var signIn = new SignIn(workspace).Helper(registry.Host, user, password);

        var build = await PublishAsync(workspace, signIn, registry.Host);

        Assert.StartsWith("error IMG5003: ", Assert.Single(build.Errors).ToString(), StringComparison.Ordinal);
        await AssertNothingLeaksAsync(workspace, signIn, build, [canary]);
    }

    [Fact]
    public async Task OnlyMSBuildsOwnSwitchRecordsTheEnvironmentAndTheSearchFindsIt()
    {
        var (user, password, canary) = Canary.Login("variable");
        using var workspace = await peers.WorkspaceAsync();
        var signIn = new SignIn(workspace).Variables("example.com", user, password);
        var project = workspace.Empty("App").Element("""<Target Name="Nothing" />""");
        var command = signIn.Run(project.Command("msbuild", "-t:Nothing", BuildOutput.Log));
        var loud = command with
        {
            Environment = new Dictionary<string, string?>(command.Environment) { ["MSBUILDLOGALLENVIRONMENTVARIABLES"] = "1" },
        };

        var usual = await project.RunInNewProcessAsync(command, Cancelled);
        var search = new Search([canary]).Folder(workspace.Path);
        var recorded = await project.RunInNewProcessAsync(loud, Cancelled);
        var found = new Search([canary]).Folder(workspace.Path).Found;

        usual.EnsureSuccess();
        Assert.Empty(search.Found);
        Assert.Contains(found, place => place.Contains($"{recorded.BinaryLog}, decompressed", StringComparison.Ordinal));
    }

    private static Task<BuildOutput> PublishAsync(TestWorkspace workspace, SignIn signIn, string registries)
    {
        var project = workspace
            .Empty("App")
            .WithImagePublish()
            .Property("OutputType", "Exe")
            .Content("Program.cs", "System.Console.WriteLine();");
        string[] arguments =
        [
            "-v:diagnostic",
            BuildOutput.Log,
            "-p:PublishImage=true",
            "-p:ImageBase=scratch",
            "-p:ImageRepository=acme/app",
            $"-p:ImageRegistry={registries}",
        ];
        return project.RunInNewProcessAsync(signIn.Run(project.Command("publish", arguments)), Cancelled);
    }

    private static async Task AssertNothingLeaksAsync(
        TestWorkspace workspace,
        SignIn signIn,
        BuildOutput build,
        IReadOnlyList<Canary> canaries
    )
    {
        var search = new Search(canaries)
            .Text("standard output", build.Command.Output)
            .Text("standard error", build.Command.Error)
            .Text("the binary log, replayed", await build.DetailsAsync(Cancelled))
            .Folder(workspace.Path, signIn.Files);

        Assert.Empty(search.Found);
        // It did look at what there is: the project's intermediate files, the log and the store are below the one folder.
        Assert.All(["/App/obj/", "App.1.binlog", "/user-data/imagepublish/store/blobs/sha256/"], part =>
            Assert.Contains(search.Files, file => file.Contains(part, StringComparison.Ordinal))
        );
    }
}

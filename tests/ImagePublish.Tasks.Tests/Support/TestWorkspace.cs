namespace ImagePublish.Tasks.Tests.Support;

/// <summary>A folder with projects as a user has them: the package comes from a feed, settings of the machine's user stay out.</summary>
public sealed class TestWorkspace : IDisposable
{
    /// <summary>What <c>dotnet publish</c> takes anyway; told so, it does not read the projects once more to find that out.</summary>
    public const string Release = "--configuration=Release";

    private readonly TemporaryFolder folder = new();
    private readonly PackedPackage package;

    public TestWorkspace(PackedPackage package)
    {
        this.package = package;
        // Adds to the machine's own sources, and takes this one package from nowhere else.
        Write(
            "nuget.config",
            $"""
            <configuration>
              <packageSources>
                <add key="tests" value="{package.Feed}" />
              </packageSources>
            </configuration>
            """
        );
    }

    public string Path => folder.Path;

    public string PackageVersion => package.Version;

    /// <summary>The local store and whatever else a build keeps for its user; Docker's sign-ins are looked for here too.</summary>
    public string UserData => folder["user-data"];

    public string this[string name] => folder[name];

    public string Write(string name, string content) => folder.Write(name, content);

    /// <summary>Makes a project with <c>dotnet new</c>, in a folder of its name.</summary>
    public async Task<TestProject> NewAsync(string template, string name, CancellationToken cancellationToken)
    {
        await DotNet("new", template, "--name", name, "--output", name, "--no-restore").SucceedAsync(cancellationToken);
        return new TestProject(this, package, folder[System.IO.Path.Combine(name, $"{name}.csproj")]);
    }

    /// <summary>A project from nothing, for shapes that no template has.</summary>
    public TestProject Empty(string name, string sdk = "Microsoft.NET.Sdk")
    {
        var file = Write(System.IO.Path.Combine(name, $"{name}.csproj"), $"""<Project Sdk="{sdk}" />""");
        return new TestProject(this, package, file).Property("TargetFramework", "net10.0");
    }

    /// <summary>A small app whose image has nothing but it.</summary>
    public TestProject ScratchApp(string name) =>
        Empty(name)
            .WithImagePublish()
            .Property("OutputType", "Exe")
            .Property("ImageBase", "scratch")
            .Property("ImageDoctor", "Off")
            .Content("Program.cs", $"System.Console.WriteLine(\"{name}\");");

    /// <summary>A solution of projects that are each in a folder of its name.</summary>
    /// <returns>The file.</returns>
    public string Solution(string file, params IEnumerable<string> names) =>
        Write(file, $"<Solution>{string.Concat(names.Select(name => $"<Project Path=\"{name}/{name}.csproj\" />"))}</Solution>");

    /// <summary>Publishes the images of a solution, or of a project that no <see cref="TestProject"/> stands for.</summary>
    public CommandLine PublishImages(string file, params IEnumerable<string> switches) =>
        DotNet(["publish", file, Release, "-nologo", "-tl:off", "-p:PublishImage=true", .. switches]);

    /// <summary>A <c>dotnet</c> command in this folder.</summary>
    public CommandLine DotNet(params IReadOnlyList<string> arguments)
    {
        var command = DotNetCommand.Create(Path, arguments);
        var environment = new Dictionary<string, string?>(command.Environment)
        {
            ["DOCKER_CONFIG"] = System.IO.Path.Combine(UserData, "docker"),
            ["XDG_CONFIG_HOME"] = System.IO.Path.Combine(UserData, "config"),
            ["XDG_DATA_HOME"] = UserData,
            ["XDG_RUNTIME_DIR"] = null,
            // NuGet's cache stays where it is; only ours moves.
            ["NUGET_HTTP_CACHE_PATH"] = Environment.GetEnvironmentVariable("NUGET_HTTP_CACHE_PATH")
                ?? System.IO.Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData), "NuGet", "http-cache"),
        };
        return command with { Environment = environment };
    }

    public void Dispose() => folder.Dispose();
}

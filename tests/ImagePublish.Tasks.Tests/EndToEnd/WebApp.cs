using ImagePublish.Tasks.Tests.Support;

namespace ImagePublish.Tasks.Tests.EndToEnd;

/// <summary>What <c>dotnet new web</c> makes, with the package, a few settings and unusual files; published once.</summary>
public sealed class WebApp(Peers peers) : IAsyncLifetime
{
    /// <summary>A value with everything that is ever split or quoted on the way.</summary>
    public const string Difficult = """Server=tcp:db,1433;Password="a'b" \ $HOME %41 =x; 🐳 naïve  """;

    public const string Repository = "web-app/shop";

    private TestWorkspace? workspace;

    public DockerRegistry Registry { get; private set; } = null!;

    public TestProject Project { get; private set; } = null!;

    public BuildOutput Published { get; private set; } = null!;

    public string Digest => Published.Digest;

    public string Reference => $"{Registry.Host}/{Repository}@{Digest}";

    /// <summary>The JSON result; tests that publish again write over the file.</summary>
    public ReadOnlyMemory<byte> Result { get; private set; }

    /// <summary>A copy of the base that only these tests read, so that requests can be counted.</summary>
    public string Base => $"{Registry.Host}/web-app/aspnet:10.0";

    /// <summary>What a user types after <c>dotnet publish</c>.</summary>
    public IReadOnlyList<string> Switches => ["-p:PublishImage=true", $"-p:ImageRegistry={Registry.Host}", $"-p:ImageBase={Base}"];

    public string this[string name] => workspace![name];

    public async ValueTask InitializeAsync()
    {
        Registry = await peers.RegistryAsync();
        await Skopeo.CopyAsync($"docker://{Registry.Host}/dotnet/aspnet:10.0", $"docker://{Base}", CancellationToken.None, "--all");
        workspace = await peers.WorkspaceAsync();
        // A step as companies have it, read by MSBuild after the package.
        workspace.Write(
            "Directory.Build.targets",
            """
            <Project>
              <Target Name="AddLateFile" AfterTargets="Publish">
                <WriteLinesToFile File="$(PublishDir)late.txt" Lines="late" Overwrite="true" />
              </Target>
            </Project>
            """
        );
        Project = (await workspace.NewAsync("web", "Shop", CancellationToken.None))
            .WithImagePublish()
            .Property("Version", "1.2.3")
            .Property("ImageRepository", Repository)
            .Item("ImageEnvironmentVariable", "DIFFICULT", ("Value", Escape(Difficult)))
            .Item("ImageLabel", "com.example.difficult", ("Value", Escape(Difficult)))
            .Item("ImageLabel", "com.example.empty", ("Value", ""))
            .Item("Content", "tool.sh", ("CopyToPublishDirectory", "Always"))
            .Element(
                """
                <Target Name="AddLinks" AfterTargets="CopyFilesToPublishDirectory">
                  <Exec Command="mkdir -p '$(PublishDir)deep/er' &amp;&amp; ln -sfn ../../appsettings.json '$(PublishDir)deep/er/settings' &amp;&amp; ln -sfn deep '$(PublishDir)shallow'" />
                </Target>
                """
            )
            .Content("tool.sh", "#!/bin/sh\necho tool\n")
            .Content(
                "Program.cs",
                """
                var app = WebApplication.Create(args);
                app.MapGet("/", () => "Hello World!");
                app.MapGet("/environment/{name}", (string name) => Environment.GetEnvironmentVariable(name));
                app.Run();
                """
            );
        File.SetUnixFileMode(
            Path.Combine(Project.Folder, "tool.sh"),
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
        );
        Published = (await PublishAsync(CancellationToken.None)).EnsureSuccess();
        Result = await File.ReadAllBytesAsync(Path.Combine(Project.Folder, "obj", "Release", "net10.0", "ImagePublish.json"));
    }

    /// <summary>Publishes it in a process of its own, which knows nothing of earlier builds: requests are counted.</summary>
    public Task<BuildOutput> PublishAsync(CancellationToken cancellationToken, params string[] more) =>
        Project.RunAsync(Project.Command("publish", [.. Switches, .. more]), cancellationToken);

    public ValueTask DisposeAsync()
    {
        workspace?.Dispose();
        return ValueTask.CompletedTask;
    }

    // As MSBuild's documentation demands for these characters.
    private static string Escape(string value) =>
        value
            .Replace("%", "%25", StringComparison.Ordinal)
            .Replace(";", "%3B", StringComparison.Ordinal)
            .Replace("$", "%24", StringComparison.Ordinal);
}

namespace ImagePublish.Tasks.Tests.Support;

/// <summary>
/// The compiler that all builds of this test run share, as a developer's builds do: a compiler that starts again takes longer than what it
/// compiles. It ends with the run.
/// </summary>
public static class CompilerServer
{
    /// <summary>The name of its pipe, which no other run has.</summary>
    public static string Id { get; } = $"imagepublish-tests-{Environment.ProcessId}";

    public static async Task StopAsync()
    {
        var dotnet = DotNetInstallation.Find().Folder;
        foreach (var sdk in Directory.GetDirectories(Path.Combine(dotnet, "sdk")))
        {
            var server = Path.Combine(sdk, "Roslyn", "bincore", "VBCSCompiler.dll");
            if (File.Exists(server))
                await new CommandLine(Path.Combine(dotnet, "dotnet"), server, "-shutdown", $"-pipename:{Id}").RunAsync(
                    CancellationToken.None
                );
        }
    }
}

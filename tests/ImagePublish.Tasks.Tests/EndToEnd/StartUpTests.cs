using System.Text.RegularExpressions;
using ImagePublish.Tasks.Tests.Support;

namespace ImagePublish.Tasks.Tests.EndToEnd;

/// <summary>
/// What the runtime still has to compile in a publish, beyond what <c>dotnet publish</c> makes it compile. Most of what a publish that
/// changes little costs is this, and it grows unseen: one document that is read by a serializer doubles it.
/// </summary>
public sealed partial class StartUpTests(Peers peers)
{
    // Most of them for HTTP and for asynchronous methods. A method takes about a tenth of a millisecond.
    private const int BudgetOfUnchanged = 680;
    private const int BudgetOfChanged = 1000;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task AnUnchangedPublishCompilesFewMethods()
    {
        using var workspace = await peers.WorkspaceAsync();

        var compiled = await CompiledBesidesPlainAsync(workspace, _ => { });

        AssertFew(compiled, BudgetOfUnchanged);
    }

    [Fact]
    public async Task APublishOfAChangedFileCompilesFewMethods()
    {
        using var workspace = await peers.WorkspaceAsync();

        var compiled = await CompiledBesidesPlainAsync(workspace, project => project.Content("notes.txt", "changed"));

        AssertFew(compiled, BudgetOfChanged);
        Assert.Contains(compiled, method => method.Contains("ImagePublish.Registries.Blobs.BlobUpload", StringComparison.Ordinal));
    }

    private async Task<HashSet<string>> CompiledBesidesPlainAsync(TestWorkspace workspace, Action<TestProject> change)
    {
        var registry = await peers.RegistryAsync();
        var reference = await SmallBase.PushToAsync(registry, "startup/base:1", Cancelled);
        var project = workspace
            .Empty("App")
            .WithImagePublish()
            .Property("OutputType", "Exe")
            .Item("Content", "notes.txt", ("CopyToPublishDirectory", "PreserveNewest"))
            .Content("notes.txt", "first")
            .Content("Program.cs", "return;");
        string[] image =
        [
            .. Switches.Destination(registry, Path.GetFileName(workspace.Path).ToLowerInvariant()),
            $"-p:ImageBase={reference}",
        ];
        (await project.PublishAsync(Cancelled, image)).EnsureSuccess();
        change(project);

        var plain = await CompiledAsync(workspace, project, []);
        var compiled = await CompiledAsync(workspace, project, image);
        compiled.ExceptWith(plain);
        return compiled;
    }

    private static void AssertFew(HashSet<string> compiled, int budget)
    {
        Assert.DoesNotContain(compiled, method => method.StartsWith("System.Text.Json.Serialization.", StringComparison.Ordinal));
        Assert.DoesNotContain(compiled, method => method.StartsWith("ZstdSharp.", StringComparison.Ordinal));
        Assert.True(compiled.Count <= budget, $"{compiled.Count} methods:\n{string.Join('\n', compiled.Order(StringComparer.Ordinal))}");
        Assert.Contains(compiled, method => method.Contains("ImagePublish.", StringComparison.Ordinal));
    }

    private static async Task<HashSet<string>> CompiledAsync(TestWorkspace workspace, TestProject project, string[] switches)
    {
        var list = workspace[$"compiled-{switches.Length}.txt"];
        var command = project.Command("publish", ["--no-restore", .. switches]);
        await (
            command with
            {
                Environment = new Dictionary<string, string?>(command.Environment)
                {
                    ["DOTNET_JitStdOutFile"] = list,
                    ["DOTNET_JitDisasmSummary"] = "1",
                    // As a user's builds are compiled.
                    ["DOTNET_TieredPGO"] = null,
                },
            }
        ).SucceedAsync(Cancelled);
        return [.. (await File.ReadAllLinesAsync(list, Cancelled)).Select(line => Compiled().Match(line).Groups[1].Value)];
    }

    // 4: JIT compiled System.String:Concat(System.String) [Tier0, IL size=1, code size=2]
    // What is called often is compiled a second time, for a higher tier: how much of it depends on how busy the machine is.
    [GeneratedRegex(@"^ *\d+: JIT compiled (.*) \[(?:Instrumented )?Tier0")]
    private static partial Regex Compiled();
}

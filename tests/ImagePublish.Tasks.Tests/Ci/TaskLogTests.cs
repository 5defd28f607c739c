using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Tasks.Ci;
using ImagePublish.Tasks.Commands;
using ImagePublish.Tasks.Tests.Support;
using Microsoft.Build.Framework;

namespace ImagePublish.Tasks.Tests.Ci;

/// <summary>The exit of all messages: whatever a caller forgot, no line of a log is a command.</summary>
public sealed class TaskLogTests
{
    private const string Hostile = "a\n::set-output name=a::b\r\n  ##vso[task.setvariable variable=x]y ##[error]\u202e\u200b\e[31m";

    private const string Harmless =
        @"a\u000a::set-output name=a::b\u000d\u000a  ## vso[task.setvariable variable=x]y ## [error]\u202e\u200b\u001b[31m";

    [Fact]
    [ReliabilityCase("Security", "a message contains unfiltered foreign text", "the log shows one visible line without a command")]
    public void NoLineThatLeavesIsACommand()
    {
        var engine = new RecordingEngine();
        using var task = new Scripted(log =>
        {
            log.Information(Hostile);
            log.Information("  ::warning::x");
            log.Detail(Hostile);
            log.Warning(DiagnosticCodes.DiskFailed, Hostile);
            ((TaskLog)log).Cancelled(Hostile, Hostile);
            log.Changed(NameChange.Tagged, Hostile);
            throw new ImagePublishException(DiagnosticCodes.DiskFailed, Hostile);
        })
        {
            BuildEngine = engine,
            ProjectDirectory = "/src",
        };

        Assert.False(task.Execute());

        Assert.Equal([Harmless, "  : :warning::x", $"{Harmless} was cancelled; {Harmless}."], engine.Lines);
        Assert.Equal(Harmless, Assert.Single(engine.Warnings).Message);
        Assert.Equal($"{Harmless} Done before that: tagged {Harmless}.", Assert.Single(engine.Errors).Message);
        Assert.EndsWith(
            $"] {Harmless}",
            Assert.Single(engine.Messages, message => message.Importance == MessageImportance.Low).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void AnUnexpectedFailuresStackHasNoCommandInALine()
    {
        var engine = new RecordingEngine();
        using var task = new Scripted(_ => throw new InvalidOperationException(Hostile))
        {
            BuildEngine = engine,
            ProjectDirectory = "/src",
        };

        Assert.False(task.Execute());

        var stack = Assert
            .Single(engine.Messages, message =>
                message.Importance == MessageImportance.Low && message.Message!.Contains("   at ", StringComparison.Ordinal)
            )
            .Message!;
        Assert.Contains('\n', stack);
        Assert.All(stack.Split('\n'), line =>
            Assert.False(
                line.Contains("##vso[", StringComparison.Ordinal) || line.TrimStart().StartsWith("::", StringComparison.Ordinal),
                line
            )
        );
    }

    [Fact]
    [ReliabilityCase("Security", "a message repeats a secret of the build", "it is logged as `***`")]
    public void ASecretThatIsLeftInAMessageIsTakenOut()
    {
        var engine = new RecordingEngine();
        using var task = new Scripted(log =>
        {
            BuildSession.Redactor.Add("hunter2hunter2", "ci");
            log.Information($"sent hunter2hunter2 as {Convert.ToBase64String("ci:hunter2hunter2"u8)}");
        })
        {
            BuildEngine = engine,
            ProjectDirectory = "/src",
        };

        Assert.True(task.Execute());

        Assert.Equal(["sent *** as ***"], engine.Lines);
    }

    [Fact]
    [ReliabilityCase(
        "Security",
        "a value for Azure Pipelines contains `]`, `;`, `%` or line breaks",
        "it is escaped as the agent expects, and the command ends where it should"
    )]
    public void ValuesOfCommandsAreEscaped()
    {
        var said = new List<string>();
        var annotations = new CiAnnotations(name => name == "TF_BUILD" ? "True" : null, command => said.Add(command.Line));

        annotations.Mark("error", "IMG1", "100% of a;b]c\r\n##vso[x]", "/src/a;b]c%\n.csproj", 3);

        Assert.Equal(
            [
                "##vso[task.logissue type=error;sourcepath=/src/a%3Bb%5Dc%AZP25%0A.csproj;linenumber=3;code=IMG1]100%AZP25 of "
                    + "a;b]c%0D%0A##vso[x]",
            ],
            said
        );
    }

    [Fact]
    [ReliabilityCase(
        "Security",
        "an image's name or tags contain line breaks where they are passed to later steps",
        "each file gets one line for each value"
    )]
    public void AValueIsOneLineOfACiFile()
    {
        using var folder = new TemporaryFolder();
        var environment = new Dictionary<string, string>
        {
            ["GITHUB_OUTPUT"] = folder["output"],
            ["GITHUB_STEP_SUMMARY"] = folder["summary"],
            ["GITLAB_CI"] = "true",
            ["CI_PROJECT_DIR"] = folder.Path,
            ["TF_BUILD"] = "True",
        };
        var said = new List<string>();
        var item = new Microsoft.Build.Utilities.TaskItem("shop\nNODE_OPTIONS=--require /tmp/evil.js");
        item.SetMetadata("Digest", "sha256:1\nimage=evil");
        item.SetMetadata("Tags", "1\r\n##vso[task.prependpath]/evil");
        item.SetMetadata("Changed", "true\nimage=evil");

        new CiOutputs(environment.GetValueOrDefault, command => said.Add(command.Line), new Lines()).Write(
            "App",
            item,
            "### App\n",
            folder["summary.md"]
        );

        Assert.Equal(6, File.ReadAllLines(folder["output"]).Length);
        Assert.Equal(6, File.ReadAllLines(folder["image.env"]).Length);
        Assert.All(said, command => Assert.StartsWith("##vso[task.", command, StringComparison.Ordinal));
        Assert.All(said, command => Assert.Equal(0, command.LastIndexOf("##vso[", StringComparison.Ordinal)));
        Assert.All(said, command => Assert.DoesNotContain('\n', command));
    }

    [Fact]
    [ReliabilityCase(
        "Projects",
        "another process has locked the file from which a CI system reads the image's name",
        "one line names the file after two seconds; the lines are added once it is free"
    )]
    public async Task AWaitForAFileOfTheCiSystemIsLogged()
    {
        using var folder = new TemporaryFolder();
        var path = folder["output"];
        var log = new Lines();
        var other = FileLock.TryAcquire(path, FileLockOptions.InPlace)!;

        var append = Task.Run(() => SharedFile.Append(path, "image=shop\n", log), TestContext.Current.CancellationToken);
        await Task.WhenAny(append, log.First);
        other.Dispose();
        await append;

        Assert.Equal($"Waiting for another process, which writes to '{path}' too, for at most 10 seconds.", await log.First);
        Assert.Equal("image=shop\n", await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken));
    }

    [Fact]
    [ReliabilityCase(
        "Security",
        "an item or a result file that a build prints has a label with a CI command",
        "the JSON has the same meaning and contains no command"
    )]
    public void AnItemThatIsPrintedHasNoCommand()
    {
        var config = """{"Labels":{"a":"##vso[task.prependpath]/evil"}}"""u8.ToArray();

        var item = CommandItem
            .Create("shop:1", ("Created", "##vso[task.prependpath]/evil\n"), ("Config", new JsonText(config)))
            .ToTaskItem();

        Assert.Equal(@"## vso[task.prependpath]/evil\u000a", item.GetMetadata("Created"));
        Assert.DoesNotContain("##vso", item.GetMetadata("Config"), StringComparison.Ordinal);
        Assert.True(
            System.Text.Json.Nodes.JsonNode.DeepEquals(
                System.Text.Json.Nodes.JsonNode.Parse(config),
                System.Text.Json.Nodes.JsonNode.Parse(item.GetMetadata("Config"))
            )
        );
    }

    private sealed class Lines : IPublishLog
    {
        private readonly TaskCompletionSource<string> first = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<string> First => first.Task;

        public void Warning(DiagnosticCode code, string message) { }

        public void Information(string message) => first.TrySetResult(message);

        public void Detail(string message) { }
    }

    private sealed class Scripted(Action<IPublishLog> script) : ImageTask
    {
        private protected override Task ExecuteAsync(IPublishLog log, CancellationToken cancellationToken)
        {
            script(log);
            return Task.CompletedTask;
        }
    }
}

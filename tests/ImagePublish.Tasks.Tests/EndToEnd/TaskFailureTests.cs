using ImagePublish.Diagnostics;
using ImagePublish.Tasks.Commands;
using ImagePublish.Tasks.Tests.Support;

namespace ImagePublish.Tasks.Tests.EndToEnd;

/// <summary>How tasks end that do not succeed: with one line each.</summary>
public sealed class TaskFailureTests
{
    public static TheoryData<Type> Unexpected =>
        [
            typeof(InvalidOperationException),
            typeof(NullReferenceException),
            typeof(OutOfMemoryException),
            typeof(OperationCanceledException),
        ];

    [Theory]
    [MemberData(nameof(Unexpected))]
    [ReliabilityCase(
        "Commands",
        "an unexpected failure, such as a lack of memory",
        "one error IMG9001 with the operation and the .NET error; the stack trace is in a diagnostic log only"
    )]
    public void AnUnexpectedFailureIsOneLine(Type type)
    {
        var engine = new RecordingEngine();
        using var task = new Scripted((_, _) => throw (Exception)Activator.CreateInstance(type, "it is\nodd")!)
        {
            BuildEngine = engine,
            ProjectDirectory = "/src",
        };

        Assert.False(task.Execute());

        var error = Assert.Single(engine.Errors);
        Assert.Equal("IMG9001", error.Code);
        Assert.StartsWith(
            $@"Scripted failed: {type.Name}: it is\u000aodd This is a bug in ImagePublish.Tasks.",
            error.Message,
            StringComparison.Ordinal
        );
        Assert.DoesNotContain("   at ", error.Message, StringComparison.Ordinal);
        Assert.Contains(engine.Messages, message =>
            message.Importance == Microsoft.Build.Framework.MessageImportance.Low
            && message.Message!.Contains("   at ", StringComparison.Ordinal)
        );
    }

    [Fact]
    [ReliabilityCase("Commands", "a file can't be written after the tags have moved", "the error names the tags")]
    public void AFailureAfterAChangeNamesIt()
    {
        var engine = new RecordingEngine();
        using var task = new Scripted(
            (log, _) =>
            {
                log.Changed(NameChange.Tagged, "localhost/shop:1");
                log.Changed(NameChange.Tagged, "localhost/shop:2");
                throw new ImagePublishException(DiagnosticCodes.DiskFailed, "The result can't be written.");
            }
        )
        {
            BuildEngine = engine,
            ProjectDirectory = "/src",
        };

        Assert.False(task.Execute());

        Assert.Equal(
            "The result can't be written. Done before that: tagged localhost/shop:1, localhost/shop:2.",
            Assert.Single(engine.Errors).Message
        );
    }

    [Fact]
    [ReliabilityCase(
        "Commands",
        "background work logs something after the task that started it has ended",
        "it is not logged, and does not fail"
    )]
    public void NothingIsLoggedAfterTheTask()
    {
        var engine = new RecordingEngine();
        IPublishLog? kept = null;
        using var task = new Scripted((log, _) => kept = log) { BuildEngine = engine, ProjectDirectory = "/src" };
        Assert.True(task.Execute());
        engine.IsOver = true;

        kept!.Warning(DiagnosticCodes.DiskFailed, "late");
        kept.Information("late");
        kept.Detail("late");
        kept.Waiting("localhost", TimeSpan.FromSeconds(1), 2, 5);
        kept.Sending("sha256:1", 1);
        kept.Sent("sha256:1", 1);

        Assert.Empty(engine.Warnings);
        Assert.DoesNotContain(engine.Messages, message => message.Message!.Contains("late", StringComparison.Ordinal));
    }

    public static TheoryData<CommandTask, string> Cancelled =>
        new()
        {
            {
                new TagImage { Source = "acme/shop:1", Tags = "2" },
                "TagImage was cancelled; no tag was moved."
            },
            {
                new CopyImage { Source = "acme/shop:1", Registry = "localhost:1" },
                "CopyImage was cancelled; no tag was moved."
            },
            {
                new PullImage { Source = "localhost:1/acme/shop:1" },
                "PullImage was cancelled; no tag was moved."
            },
            {
                new RemoveImage { Source = "localhost:1/acme/shop:1" },
                "RemoveImage was cancelled; no image was removed."
            },
            { new PruneImages(), "PruneImages was cancelled; no image was removed." },
            {
                new ListImageTags { Source = "localhost:1/acme/shop:1" },
                "ListImageTags was cancelled."
            },
        };

    [Theory]
    [MemberData(nameof(Cancelled), DisableDiscoveryEnumeration = true)]
    [ReliabilityCase("Commands", "Ctrl+C before a command has changed anything", "one line that fits the command")]
    public void ACancelledCommandSaysSoInOneLine(CommandTask task, string line)
    {
        var engine = new RecordingEngine();
        using var folder = new TemporaryFolder();
        task.BuildEngine = engine;
        task.ProjectDirectory = folder.Path;
        task.Store = "store";
        task.Cancel();

        Assert.False(task.Execute());

        Assert.Equal([line], engine.Lines);
        Assert.Empty(engine.Errors);
    }

    [Theory]
    [InlineData(false, "the image itself is published")]
    [InlineData(true, "no tag was moved")]
    [ReliabilityCase(
        "Commands",
        "Ctrl+C while a variant is published or planned",
        "one line that says whether the image itself is published"
    )]
    public void APublishThatIsCancelledAtAVariantSaysWhatIsPublished(bool isDryRun, string outcome)
    {
        var engine = new RecordingEngine();
        using var task = new CancelledAtVariant
        {
            BuildEngine = engine,
            ProjectDirectory = "/src",
            DryRun = isDryRun,
        };

        Assert.False(task.Execute());

        Assert.Equal([$"CancelledAtVariant was cancelled; {outcome}."], engine.Lines);
    }

    private sealed class CancelledAtVariant : PublishTask
    {
        private protected override Task ExecuteAsync(IPublishLog log, CancellationToken cancellationToken) =>
            PublishAllAsync([new ImageVariant("debug") { TagSuffix = "-debug" }], copy => () =>
                {
                    if (copy.Variant is not null)
                        Cancel();
                    cancellationToken.ThrowIfCancellationRequested();
                    return Task.CompletedTask;
                });
    }

    private sealed class Scripted(Action<IPublishLog, CancellationToken> script) : ImageTask
    {
        private protected override Task ExecuteAsync(IPublishLog log, CancellationToken cancellationToken)
        {
            script(log, cancellationToken);
            return Task.CompletedTask;
        }
    }
}

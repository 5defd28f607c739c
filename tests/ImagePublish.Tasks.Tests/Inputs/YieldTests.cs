using System.Globalization;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Tasks.Shared;
using ImagePublish.Tasks.Tests.Support;
using Microsoft.Build.Framework;

namespace ImagePublish.Tasks.Tests.Inputs;

/// <summary>Work that takes long gives MSBuild its node for other projects, whose variables are none of this one's business.</summary>
public sealed class YieldTests
{
    private const string Variable = "IMAGE_TESTS_YIELD";

    // A node that is never given away fails a test instead of stopping all of them.
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(1);

    private readonly RecordingEngine engine = new();

    [Fact]
    public void ShortWorkKeepsTheNode()
    {
        Assert.True(
            Run(log =>
            {
                log.Information("done");
                return Task.CompletedTask;
            })
        );

        Assert.Empty(engine.Node);
        Assert.Equal(["done"], engine.Lines);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void LongWorkGivesTheNodeAwayAndTakesItBackOnTheSameThread(bool succeeds)
    {
        var yielded = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        engine.WhileYielded = yielded.SetResult;

        var result = Run(async log =>
        {
            await yielded.Task.WaitAsync(LongestWait);
            if (!succeeds)
                throw new ImagePublishException(DiagnosticCodes.DiskFailed, "The disk is full.");
            log.Information("done");
        });

        Assert.Equal(succeeds, result);
        var thread = string.Create(CultureInfo.InvariantCulture, $"in thread {Environment.CurrentManagedThreadId}");
        Assert.Equal([$"yields {thread}", $"reacquires {thread}"], engine.Node);
        Assert.Equal(succeeds ? 0 : 1, engine.Errors.Count);
    }

    [Fact]
    [ReliabilityCase(
        "Projects",
        "another project changes environment variables while a publish waits for the network on the same node",
        "the publish, and the programs it runs, keep the original ones"
    )]
    public void VariablesOfAnotherProjectAreNotSeen()
    {
        Environment.SetEnvironmentVariable(Variable, "own");
        try
        {
            var yielded = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            engine.WhileYielded = () =>
            {
                Environment.SetEnvironmentVariable(Variable, "another's");
                yielded.SetResult();
            };

            Run(async log =>
            {
                await yielded.Task.WaitAsync(LongestWait);
                log.Information(TaskEnvironment.Variable(Variable)!);
                var program = await Programs.RunAsync(
                    new ProgramStart(Programs.Find("sh")!, ["-c", $"printf %s \"${Variable}\""]),
                    TestContext.Current.CancellationToken
                );
                log.Information(program.Text);
            });

            Assert.Equal(["own", "own"], engine.Lines);
            Assert.Equal("another's", TaskEnvironment.Variable(Variable));
        }
        finally
        {
            Environment.SetEnvironmentVariable(Variable, null);
        }
    }

    // Reacquiring waits inside the lock that a message of the task needs.
    [Fact]
    public async Task NothingIsLoggedOnceTheNodeIsTakenBack()
    {
        var yielded = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var over = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        engine.WhileYielded = yielded.SetResult;
        Task? left = null;

        Run(async log =>
        {
            await yielded.Task.WaitAsync(LongestWait);
            left = Task.Run(async () =>
            {
                await over.Task;
                log.Information("late");
            });
        });
        over.SetResult();
        await left!.WaitAsync(TestContext.Current.CancellationToken);

        Assert.Empty(engine.Lines);
    }

    private bool Run(Func<IPublishLog, Task> work)
    {
        using var task = new Scripted(work) { BuildEngine = engine, ProjectDirectory = "/src" };
        return task.Execute();
    }

    private sealed class Scripted(Func<IPublishLog, Task> work) : ImageTask
    {
        private protected override Task ExecuteAsync(IPublishLog log, CancellationToken cancellationToken) => work(log);
    }
}

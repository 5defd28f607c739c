using System.Collections;
using System.Xml.Linq;
using ImagePublish.Oci;
using ImagePublish.Tasks.Shared;
using ImagePublish.Tasks.Tests.Support;
using Microsoft.Build.Framework;
using Microsoft.Build.Utilities;

namespace ImagePublish.Tasks.Tests.Inputs;

/// <summary>What Visual Studio's publish dialog signs in with, by the protocol of the .NET SDK's task.</summary>
public sealed class VisualStudioSignInTests
{
    private const string Password = "correct horse";

    private static readonly Registry Pushed = Registry.Parse("acme.azurecr.io");
    private static readonly Registry Base = Registry.Parse("base.example.com");

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public static TheoryData<string> Hosts => [nameof(RemoteHost), nameof(LocalHost), nameof(OldHost)];

    [Theory]
    [MemberData(nameof(Hosts))]
    public async ValueTask ItSignsInToTheRegistryThatTheImageGoesToAndToNoOther(string host)
    {
        var engine = new RecordingEngine();
        var signIn = Read(engine, Host(host));
        var credentials = SettingsFor(signIn).Credentials;

        var found = await credentials.FindAsync(Pushed, "shop", Cancelled);

        Assert.Equal(("ada", Password), (found?.Username, found?.Password));
        Assert.Null(await credentials.FindAsync(Base, "base", Cancelled));
        Assert.Null(await credentials.FindAsync(Registry.Parse("ghcr.io"), "shop", Cancelled));
        Assert.Null(await SettingsFor(null).Credentials.FindAsync(Pushed, "shop", Cancelled));
        Assert.NotEqual(SettingsFor(null).Key, SettingsFor(signIn).Key);
        Assert.DoesNotContain(Password, SettingsFor(signIn).Key, StringComparison.Ordinal);
        Assert.DoesNotContain(engine.Messages, message => message.Message?.Contains(Password, StringComparison.Ordinal) == true);
        Assert.DoesNotContain(Password, $"{signIn}", StringComparison.Ordinal);
    }

    [Fact]
    public void AHostThatFailsOrHandsOverSomethingElseChangesNothing()
    {
        foreach (
            var host in new ITaskHost[]
            {
                new RemoteHost("no JSON"),
                new RemoteHost("""{ "ItemSpec": "MsDeployCredential" }"""),
                new RemoteHost("""[{ "ItemSpec": "MsDeployCredential", "Metadata": { "UserName": "ada" } }]"""),
                new RemoteHost("""[{ "ItemSpec": "MsDeployCredential", "Metadata": 1 }]"""),
                new RemoteHost("""[{ "ItemSpec": "Other", "Metadata": { "UserName": "ada", "Password": "x" } }]"""),
                new RemoteHost(null),
                new FailingHost("no"),
            }
        )
        {
            var engine = new RecordingEngine();
            Assert.Null(Read(engine, host));
            Assert.Empty(engine.Errors);
            Assert.Empty(engine.Warnings);
        }

        Assert.Null(Read(new RecordingEngine(), null));
    }

    // Visual Studio registers its object for a task and a target by their names.
    [Fact]
    public void TheTaskAndItsTargetAreCalledAsInTheSdk()
    {
        var ours = XDocument.Load(Path.Combine(RepositoryRoot.Path, "build", "ImagePublish.Tasks.VisualStudio.targets"));
        var target = Assert.Single(ours.Descendants(typeof(CreateNewImage).FullName!)).Parent!.Attribute("Name")!.Value;
        var files = Directory.GetFiles(
            Path.Combine(DotNetInstallation.Find().Folder, "sdk"),
            "Microsoft.NET.Build.Containers.targets",
            SearchOption.AllDirectories
        );

        Assert.NotEmpty(files);
        Assert.All(files, file =>
            Assert.Equal(target, Assert.Single(XDocument.Load(file).Descendants("CreateNewImage")).Parent!.Attribute("Name")!.Value)
        );
        Assert.Equal("CreateNewImage", typeof(CreateNewImage).Name);
    }

    private static VisualStudioSignIn? Read(RecordingEngine engine, ITaskHost? host)
    {
        using var task = new CreateNewImage
        {
            BuildEngine = engine,
            HostObject = host,
            ProjectDirectory = "/src",
            ProjectName = "Shop",
        };
        Assert.True(task.Execute());
        return BuildObjects.Find<VisualStudioSignIn>(engine, "/src/Shop");
    }

    private static SessionSettings SettingsFor(VisualStudioSignIn? signIn)
    {
        var task = new PublishImage { ProjectDirectory = "/src" };
        return SessionSettings.Read(task, [], [], new PublishedRegistries(Pushed, Base) { SignIn = signIn });
    }

    private static ITaskHost Host(string kind) =>
        kind switch
        {
            nameof(RemoteHost) => new RemoteHost(
                $$"""
                [
                  { "ItemSpec": "MsDeploySkipFile", "Metadata": null },
                  { "ItemSpec": "MsDeployCredential", "Metadata": { "UserName": "ada", "Password": "{{Password}}" } }
                ]
                """
            ),
            nameof(LocalHost) => new LocalHost(Password),
            _ => new OldHost(),
        };

    private static TaskItem Item() =>
        new("MsDeployCredential", new Dictionary<string, string> { ["UserName"] = "ada", ["Password"] = Password });

    /// <summary>In another process: its items come as text.</summary>
    private sealed class RemoteHost(string? items) : ITaskHost
    {
        public string? QueryAllTaskItems() => items;
    }

    /// <summary>In this process, and able to hand over text as well, which fails.</summary>
    private sealed class LocalHost(string reason) : ITaskHost, IEnumerable<ITaskItem>
    {
        public string QueryAllTaskItems() => throw new InvalidOperationException(reason);

        public IEnumerator<ITaskItem> GetEnumerator() => new List<ITaskItem> { Item() }.GetEnumerator();

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
    }

    /// <summary>Of a Visual Studio that knows nothing of the text.</summary>
    private sealed class OldHost : ITaskHost, IEnumerable<ITaskItem>
    {
        public IEnumerator<ITaskItem> GetEnumerator() => new List<ITaskItem> { Item() }.GetEnumerator();

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
    }

    private sealed class FailingHost(string reason) : ITaskHost
    {
        public string QueryAllTaskItems() => throw new InvalidOperationException(reason);
    }
}

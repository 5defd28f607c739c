using System.Globalization;
using ImagePublish.Tasks.Tests.Support;
using Microsoft.Build.Framework;
using Microsoft.Build.Utilities;
using Task = System.Threading.Tasks.Task;

namespace ImagePublish.Tasks.Tests.Inputs;

/// <summary>Which commit an app's sources are named by, asked of the real git. The app references a library.</summary>
public sealed class FindImageRevisionTests : IDisposable
{
    private const string Stranger = "4242";

    private readonly TemporaryFolder folder = new();
    private readonly List<string> files = ["repo/App/Program.cs"];
    private readonly List<string> named = [];
    private readonly List<string> missing = [];
    private readonly RecordingEngine engine = new();
    private string root = "repo";
    private string app = "App";
    private bool libraryTakesPart = true;
    private int seconds = 1_772_600_000;
    private bool isDefault;
    private string[] packages = [];
    private ProjectEvaluation? evaluation;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    private static Dictionary<string, string?> OwnConfiguration =>
        new()
        {
            ["GIT_CONFIG_GLOBAL"] = "/dev/null",
            ["GIT_CONFIG_SYSTEM"] = "/dev/null",
            ["GIT_ALLOW_PROTOCOL"] = "file",
        };

    public void Dispose() => folder.Dispose();

    [Fact]
    [ReliabilityCase(
        "Git",
        "ImageRevision=Inputs: a commit that is empty, or that changes only another app",
        "the revision stays the same"
    )]
    public async Task CommitsElsewhereLeaveIt()
    {
        var first = await StartAsync();

        await CommitAsync();
        await CommitAsync("Other/Program.cs", "another app");
        await CommitAsync("README.md", "words");

        Assert.Equal((first, "1772600001"), Find());
    }

    [Theory]
    [InlineData("App/Program.cs")]
    [InlineData("App/wwwroot/deep/site.css")]
    [InlineData("Library/Library.cs")]
    [InlineData("Directory.Build.props")]
    [InlineData("Directory.Packages.props")]
    [InlineData("global.json")]
    [InlineData("nuget.config")]
    [InlineData(".editorconfig")]
    [InlineData("eng/Versions.props")]
    [InlineData("shared/Linked.cs")]
    [InlineData("keys/app.snk")]
    [InlineData("frontend/src/main.ts")]
    public async Task EachInputMovesItWhenItComesChangesAndGoes(string path)
    {
        await StartAsync();
        files.Add("repo/shared/Linked.cs");
        named.Add("repo/frontend");

        var (existed, _) = Find();
        var came = await CommitAsync(path, "new");
        var (afterCame, _) = Find();
        var changed = await CommitAsync(path, "changed");
        var (afterChange, _) = Find();
        File.Delete(folder[$"repo/{path}"]);
        var gone = await CommitAllAsync();
        var (afterGone, _) = Find();

        Assert.Equal([came, changed, gone], [afterCame, afterChange, afterGone]);
        Assert.NotEqual(came, existed);
    }

    [Fact]
    public async Task ARenamedFolderMovesIt()
    {
        await StartAsync();
        Directory.Move(folder["repo/App"], folder["repo/Renamed"]);
        app = "Renamed";
        files[0] = "repo/Renamed/Program.cs";
        var renamed = await CommitAllAsync();
        await CommitAsync("Other/x", "x");

        Assert.Equal(renamed, Find().Revision);
    }

    [Fact]
    public async Task AMergeThatChangesNothingOfItIsNotNamed()
    {
        await StartAsync();
        await GitAsync("checkout", "-q", "-b", "feature");
        var change = await CommitAsync("App/Program.cs", "feature");
        await GitAsync("checkout", "-q", "main");
        await CommitAsync("Other/x", "x");
        await GitAsync("merge", "-q", "--no-ff", "-m", "Merge", "feature");

        Assert.Equal(change, Find().Revision);
        Assert.NotEqual(change, await HeadAsync());
    }

    [Fact]
    [ReliabilityCase("Git", "ImageRevision=Inputs: a shallow clone", "IMG1061 says how to fetch more; the revision is HEAD")]
    public async Task AShallowCloneIsHeadAndSaysHowToFetchMore()
    {
        await StartAsync();
        await CommitAsync("Other/x", "x");
        await CommitAsync("Other/x", "y");
        await GitAsync("clone", "-q", "--depth=2", $"file://{folder["repo"]}", folder["shallow"]);
        root = "shallow";
        files[0] = "shallow/App/Program.cs";

        Assert.Equal(("", ""), Find());
        var warning = Assert.Single(engine.Warnings);
        Assert.Equal("IMG1061", warning.Code);
        Assert.Contains("'fetch-depth: 0'", warning.Message, StringComparison.Ordinal);
        Assert.Equal(("", ""), Find());
        Assert.Single(engine.Warnings);
    }

    [Fact]
    public async Task AShallowCloneThatIsDeepEnoughIsAsGoodAsAWholeOne()
    {
        await StartAsync();
        var change = await CommitAllAsync("App/Program.cs", "a", "Library/Library.cs", "b");
        await CommitAsync("Other/x", "y");
        await GitAsync("clone", "-q", "--depth=3", $"file://{folder["repo"]}", folder["shallow"]);
        root = "shallow";
        files[0] = "shallow/App/Program.cs";

        Assert.Equal(change, Find().Revision);
        Assert.Empty(engine.Warnings);
    }

    [Theory]
    [InlineData("App/Program.cs", true)]
    [InlineData("App/New.cs", true)]
    [InlineData("Library/New.cs", true)]
    [InlineData("Directory.Build.props", true)]
    [InlineData("Other/New.cs", false)]
    [InlineData("App/obj/Made.cs", false)]
    [ReliabilityCase("Git", "ImageRevision=Inputs: uncommitted changes", "HEAD with -dirty, if they are inputs of the app")]
    public async Task WhatIsNotCommittedIsMarked(string path, bool isInput)
    {
        var first = await StartAsync();
        var head = await CommitAsync("Other/x", "x");
        folder.Write($"repo/{path}", "changed");

        Assert.Equal(isInput ? head + "-dirty" : first, Find().Revision);
        Assert.Empty(engine.Warnings);
    }

    [Fact]
    [ReliabilityCase(
        "Git",
        "ImageRevision=Inputs: a file that git ignores, or that is outside of the checkout, is part of the build",
        "IMG1060 names it and suggests ImageInput; the revision is HEAD"
    )]
    public async Task AFileThatNoCommitHasIsHeadUnlessItsSourcesAreNamed()
    {
        var first = await StartAsync();
        await CommitAsync("Other/x", "x");
        files.Add(folder.Write("repo/App/wwwroot/made/app.js", "made"));

        Assert.Equal("", Find().Revision);
        Assert.StartsWith(
            "The image's revision is HEAD and changes with every commit: 'App/wwwroot/made/app.js' is part of the build, but git "
                + "ignores it. If it is generated, name its sources: <ImageInput Include=",
            Assert.Single(engine.Warnings).Message,
            StringComparison.Ordinal
        );
        files[^1] = folder.Write("elsewhere/Shared.cs", "");
        Assert.Equal("", Find().Revision);
        Assert.Equal(["IMG1060", "IMG1060"], engine.Warnings.Select(warning => warning.Code));
        named.Add("repo/frontend");
        Assert.Equal(first, Find().Revision);
        named.Add("elsewhere");
        Assert.Equal("", Find().Revision);
        Assert.Equal($"'{folder["elsewhere"]}' is not in the checkout '{folder["repo"]}'.", FindReason("HEAD"));
    }

    [Fact]
    [ReliabilityCase(
        "Git",
        "ImageRevision=Inputs: a referenced project does not reference the package",
        "IMG1060 names the project; the revision is HEAD"
    )]
    public async Task AReferencedProjectThatKnowsNothingOfItIsNamed()
    {
        await StartAsync();
        libraryTakesPart = false;

        Assert.Equal("", Find().Revision);
        Assert.Contains(
            "Library.csproj does not reference ImagePublish.Tasks. ",
            Assert.Single(engine.Warnings).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    [ReliabilityCase("Git", "ImageRevision=Inputs without a checkout", "IMG1060 once; the image is built")]
    public async Task WithoutACheckoutOneWarningSaysSo()
    {
        folder.Write("repo/App/Program.cs", "");
        Directory.CreateDirectory(folder["repo/Library"]);

        Assert.Equal(("", ""), Find());
        Assert.Equal(("", ""), Find());
        Assert.EndsWith("is in no git checkout.", Assert.Single(engine.Warnings).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ASubmoduleIsNamedByTheCommitThatTookItIn()
    {
        await StartAsync();
        await GitInAsync("other", "init", "-q", "-b", "main");
        folder.Write("other/Shared.cs", "1");
        await GitInAsync("other", "add", ".");
        await GitInAsync("other", "commit", "-q", "-m", "One");
        await GitAsync("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", folder["other"], "modules/shared");
        var added = await CommitAllAsync();
        await CommitAsync("Other/x", "x");
        files.Add("repo/modules/shared/Shared.cs");

        Assert.Equal(added, Find().Revision);

        folder.Write("repo/modules/shared/Shared.cs", "2");
        await GitInAsync("repo/modules/shared", "commit", "-q", "-a", "-m", "Two");
        Assert.Equal(await HeadAsync() + "-dirty", Find().Revision);
        var moved = await CommitAllAsync();
        await CommitAsync("Other/x", "y");
        Assert.Equal(moved, Find().Revision);
    }

    [Fact]
    public async Task AWorktreeIsAsGoodAsTheFirst()
    {
        var first = await StartAsync();
        await CommitAsync("Other/x", "x");
        await GitAsync("worktree", "add", "-q", folder["tree"], "-b", "side");
        root = "tree";
        files[0] = "tree/App/Program.cs";

        Assert.Equal(first, Find().Revision);
        folder.Write("tree/App/Program.cs", "changed");
        Assert.EndsWith("-dirty", Find().Revision, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("evil", true)]
    [InlineData("evil=clean", false)]
    [ReliabilityCase("Git", "another user owns the checkout, whose configuration names filters", "none of them runs")]
    public async Task AStrangersCheckoutRunsNoFilter(string name, bool canBeTurnedOff)
    {
        var first = await StartAsync();
        var canary = folder["canary"];
        var filter = folder.WriteProgram("filter", $"#!/bin/sh\ntouch '{canary}'\nexec cat\n");
        folder.Write("repo/.git/info/attributes", $"*.cs filter={name}\n");
        foreach (var setting in new[] { "clean", "smudge", "process" })
            await GitAsync("config", $"filter.{name}.{setting}", filter);
        await GitAsync("config", $"filter.{name}.required", "true");
        // The same content at another time: git must read it to know.
        File.SetLastWriteTimeUtc(folder["repo/App/Program.cs"], DateTime.UnixEpoch.AddDays(1));
        await new CommandLine("chown", "-R", Stranger, folder["repo"]).SucceedAsync(Cancelled);

        Assert.Equal(canBeTurnedOff ? first : "", Find().Revision);
        Assert.False(File.Exists(canary));
    }

    [Fact]
    [ReliabilityCase(
        "Git",
        "ListAffectedImages: the commit is not in the clone, or an app's inputs are not known",
        "the app counts as affected, with the reason"
    )]
    public async Task AnAppIsAffectedByWhatItIsBuiltFromAndInDoubt()
    {
        await StartAsync();
        await GitAsync("branch", "base");
        await CommitAsync("Other/x", "x");
        Assert.Null(FindReason("base"));

        await GitAsync("checkout", "-q", "base");
        await CommitAsync("App/Program.cs", "not on HEAD's side");
        await GitAsync("checkout", "-q", "main");
        Assert.Null(FindReason("base"));

        await CommitAllAsync("Library/Library.cs", "new", "Directory.Build.props", "<Project />");
        Assert.Equal("Directory.Build.props and 1 more", FindReason("base"));
        Assert.Null(FindReason("HEAD"));

        folder.Write("repo/App/Program.cs", "not committed");
        Assert.Equal("App/Program.cs", FindReason("HEAD"));
        Assert.Equal("what changed since nonsense is not known", FindReason("nonsense"));
        Assert.Equal("IMG1060", Assert.Single(engine.Warnings).Code);
        libraryTakesPart = false;
        Assert.StartsWith("Library.csproj does not reference", FindReason("HEAD"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "IMG1031")]
    [InlineData("--output=x", "IMG1007")]
    public async Task SinceWhenIsACommit(string since, string code)
    {
        await StartAsync();
        using var list = CreateList(since);

        Assert.False(list.Execute());
        Assert.Equal(code, Assert.Single(engine.Errors).Code);
    }

    [Fact]
    [ReliabilityCase("Git", "CI, without ImageRevision: a shallow clone", "one line, not a warning, says how to fetch more; HEAD is used")]
    public async Task ByDefaultAShallowCloneIsNoWarning()
    {
        await StartAsync();
        await CommitAsync("Other/x", "x");
        await GitAsync("clone", "-q", "--depth=1", $"file://{folder["repo"]}", folder["shallow"]);
        root = "shallow";
        files[0] = "shallow/App/Program.cs";
        BeDefault();

        Assert.Equal(("", ""), Find());
        Assert.Equal(("", ""), Find());
        Assert.Empty(engine.Warnings);
        var line = Assert.Single(engine.Lines);
        Assert.Contains("'fetch-depth: 0'", line, StringComparison.Ordinal);
        Assert.EndsWith(" To silence this, set ImageRevision to Head.", line, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("<Project></Project>", null)]
    [InlineData("""<Project><Target Name="T"><Message Text="x" /></Target></Project>""", null)]
    [InlineData("""<Project><Import Project="$(X)/Directory.Build.props" Condition="Exists('$(X)')" /></Project>""", null)]
    [InlineData("""<Project><ItemGroup><Compile Include="$(X)/a.cs" /></ItemGroup></Project>""", null)]
    [InlineData("""<Project><Target Name="T"><Exec Command="npm run build" /></Target></Project>""", "a target of App.csproj runs Exec")]
    [InlineData(
        """<Project><Target Name="T"><ItemGroup><Compile Include="$(X)/a.cs" /></ItemGroup></Target></Project>""",
        "what '$(X)/a.cs' stands for in App.csproj is not known"
    )]
    [InlineData(
        """<Project><ItemGroup><Compile Include="$(X)/**/*.cs" /></ItemGroup></Project>""",
        "what '$(X)/**/*.cs' stands for in App.csproj is not known"
    )]
    [InlineData(
        """<Project><PropertyGroup><V>$([System.IO.File]::ReadAllText('../VERSION'))</V></PropertyGroup></Project>""",
        "a property of App.csproj reads files"
    )]
    [InlineData(
        """<Project><Import Project="$(X)/a.props" Condition="Exists('$(X)/a.props')" /></Project>""",
        "App.csproj imports a file that need not exist, '$(X)/a.props'"
    )]
    [InlineData("<Project>", "App.csproj can't be read")]
    [ReliabilityCase(
        "Git",
        "CI, without ImageRevision: the build may read files that the project does not name, as Exec does",
        "one line names the reason; HEAD is used; ListAffectedImages counts the app as affected"
    )]
    public async Task ByDefaultOneDoubtIsEnoughForHead(string project, string? doubt)
    {
        await StartAsync();
        var change = await CommitAsync("App/App.csproj", project);
        await CommitAsync("Other/x", "x");
        BeDefault();

        Assert.Equal(doubt is null ? change : "", Find().Revision);
        Assert.Empty(engine.Warnings);
        Assert.Equal(doubt is null ? 0 : 1, engine.Lines.Count());
        Assert.Equal(doubt is not null, FindReason("HEAD") is not null);
        if (doubt is not null)
            Assert.Contains(doubt, FindReason("HEAD"), StringComparison.Ordinal);

        isDefault = false;
        Assert.Equal(change, Find().Revision);
        isDefault = true;
        named.Add("repo/frontend");
        Assert.Equal(change, Find().Revision);
        Assert.Null(FindReason("HEAD"));
    }

    [Fact]
    [ReliabilityCase(
        "Git",
        "CI, without ImageRevision: no checkout, or uncommitted changes, such as versions that CI systems write into files",
        "HEAD is used, without a message"
    )]
    public async Task ByDefaultNobodyHearsOfAMissingCheckoutOrOfChanges()
    {
        BeDefault();
        folder.Write("repo/App/Program.cs", "");
        Directory.CreateDirectory(folder["repo/Library"]);
        Assert.Equal(("", ""), Find());

        await StartAsync();
        folder.Write("repo/App/Program.cs", "changed");
        Assert.Equal(("", ""), Find());
        Assert.Empty(engine.Warnings);
        Assert.Empty(engine.Lines);
    }

    [Fact]
    public async Task ByDefaultWhatCountsCommitsOrIsOutsideOfTheCheckoutIsHead()
    {
        await StartAsync();
        BeDefault();
        packages = ["minver"];
        Assert.Equal("", Find().Revision);
        packages = [];
        evaluation = new ProjectEvaluation([folder.Write("above.props", "<Project />")], []);
        Assert.Equal("", Find().Revision);
        evaluation = null;
        Assert.Equal("", Find().Revision);
        Assert.StartsWith(
            "The image's revision is HEAD and changes with every commit: minver changes the version with every commit.",
            Assert.Single(engine.Lines),
            StringComparison.Ordinal
        );
    }

    // None of these is among the items that are asked for by name, or exists each time.
    [Theory]
    [InlineData("shared/deep/Linked.cs")]
    [InlineData("local/Optional.props")]
    [InlineData("local/Optional2.props")]
    [InlineData("protos/greet.proto")]
    public async Task WhatOnlyTheProjectFileNamesMovesItWhenItComesChangesAndGoes(string path)
    {
        await StartAsync();
        await CommitAllAsync(
            "eng/App.props",
            """<Project><Import Project="$(MSBuildThisFileDirectory)../local/Optional2.props" /></Project>""",
            "App/App.csproj",
            """
            <Project>
              <Import Project="..\local\Optional.props" Condition="Exists('..\local\Optional.props')" />
              <ItemGroup><Compile Include="../shared/**/*.cs" /></ItemGroup>
            </Project>
            """
        );
        BeDefault();
        evaluation = new ProjectEvaluation([folder["repo/eng/App.props"]], [folder["repo/protos/greet.proto"]]);

        var came = await CommitAsync(path, "new");
        var (afterCame, _) = Find();
        var changed = await CommitAsync(path, "changed");
        await CommitAsync("Other/x", "x");
        var (afterChange, _) = Find();
        File.Delete(folder[$"repo/{path}"]);
        var gone = await CommitAllAsync();
        await CommitAsync("Other/x", "y");
        var (afterGone, _) = Find();

        Assert.Equal([came, changed], [afterCame, afterChange]);
        // An item that names a missing file is an error of the build.
        Assert.Equal(path.EndsWith(".proto", StringComparison.Ordinal) ? afterGone : gone, afterGone);
        Assert.Empty(engine.Lines);
    }

    [Fact]
    [ReliabilityCase(
        "Git",
        "ImageRevision=Inputs: a referenced project is gone, and the .NET SDK only warns",
        "the commit that removed it counts"
    )]
    public async Task AReferenceThatIsGoneMovesIt()
    {
        await StartAsync();
        await CommitAsync("Gone/Gone.csproj", "<Project />");
        File.Delete(folder["repo/Gone/Gone.csproj"]);
        var gone = await CommitAllAsync();
        await CommitAsync("Other/x", "x");
        missing.Add("repo/Gone/Gone.csproj");

        Assert.Equal(gone, Find().Revision);
    }

    [Fact]
    [ReliabilityCase(
        "Git",
        "git takes too long to find the last change, for each of many projects",
        "the build waits for it once; HEAD is used"
    )]
    public async Task ASlowGitIsWaitedForOnce()
    {
        await StartAsync();
        var asked = folder.Write("asked", "");
        folder.WriteProgram("bin/git", $"#!/bin/sh\necho x >>'{asked}'\nexec sleep 600\n");
        var variables = new Dictionary<string, string?> { ["PATH"] = $"{folder["bin"]}:/usr/bin:/bin" };
        var history = new GitHistory(folder["repo/.git"], variables.GetValueOrDefault, TimeSpan.FromSeconds(3));

        var first = await history.FindLastChangeAsync(["App"]);
        var second = await history.FindLastChangeAsync(["Library"]);

        Assert.EndsWith("git did not answer within 3 seconds", first.Problem, StringComparison.Ordinal);
        Assert.Equal(first.Problem, second.Problem);
        Assert.Single(await File.ReadAllLinesAsync(asked, Cancelled));
    }

    private void BeDefault()
    {
        isDefault = true;
        evaluation = new ProjectEvaluation([], []);
    }

    private string? FindReason(string since)
    {
        engine.Forget<GitHistory>();
        using var list = CreateList(since);
        Assert.True(list.Execute());
        return list.AffectedImages.SingleOrDefault()?.GetMetadata("Reason");
    }

    private ListAffectedImages CreateList(string since) =>
        new()
        {
            BuildEngine = engine,
            ProjectDirectory = folder[$"{root}/{app}"],
            Project = folder[$"{root}/{app}/App.csproj"],
            Since = since,
            Inputs = CollectAll(),
        };

    private async Task<string> StartAsync()
    {
        folder.Write("repo/.gitignore", "bin/\nobj/\nmade/\n");
        folder.Write("repo/Library/Library.cs", "1");
        folder.Write("repo/App/App.csproj", "<Project />");
        folder.Write("repo/App/Program.cs", "1");
        await GitAsync("init", "-q", "-b", "main");
        return await CommitAllAsync();
    }

    private Task<string> CommitAsync() => CommitAllAsync();

    private Task<string> CommitAsync(string path, string content) => CommitAllAsync(path, content);

    private async Task<string> CommitAllAsync(params string[] pathsAndContents)
    {
        foreach (var pair in pathsAndContents.Chunk(2))
            folder.Write($"repo/{pair[0]}", pair[1]);
        await GitAsync("add", "-A");
        await GitAsync("commit", "-q", "--allow-empty", "-m", "Commit");
        return await HeadAsync();
    }

    private async Task<string> HeadAsync() =>
        (
            await new CommandLine("git", "-C", folder["repo"], "rev-parse", "HEAD") { Environment = OwnConfiguration }.SucceedAsync(
                Cancelled
            )
        ).Output.Trim();

    private Task GitAsync(params string[] arguments) => GitInAsync("repo", arguments);

    private async Task GitInAsync(string name, params string[] arguments)
    {
        Directory.CreateDirectory(folder[name]);
        var time = string.Create(CultureInfo.InvariantCulture, $"@{(arguments.Contains("commit") ? ++seconds : seconds)} +0000");
        string[] identity = ["-c", "user.name=Ann", "-c", "user.email=ann@example.com", "-c", "commit.gpgsign=false"];
        await new CommandLine("git", ["-C", folder[name], .. identity, .. arguments])
        {
            Environment = new Dictionary<string, string?>(OwnConfiguration) { ["GIT_COMMITTER_DATE"] = time },
        }.SucceedAsync(Cancelled);
    }

    // Each time as a build of its own, but for what it has reported.
    private (string Revision, string Time) Find()
    {
        engine.Forget<GitHistory>();
        using var find = new FindImageRevision
        {
            BuildEngine = engine,
            ProjectDirectory = folder[$"{root}/{app}"],
            Project = folder[$"{root}/{app}/App.csproj"],
            Source = isDefault ? "" : "inputs",
            IsDefault = isDefault,
            Inputs = CollectAll(),
        };
        Assert.True(find.Execute());
        return (find.Revision, find.Time);
    }

    private ITaskItem[] CollectAll()
    {
        var library = Collect("Library", "Library.csproj", [], [], []);
        foreach (var input in library)
            input.SetMetadata("MSBuildSourceProjectFile", folder[$"{root}/Library/Library.csproj"]);
        var reference = new TaskItem(folder[$"{root}/Library/Library.csproj"]);
        return Collect(app, "App.csproj", files, libraryTakesPart ? library : [], [reference]);
    }

    private ITaskItem[] Collect(string project, string file, IEnumerable<string> ownFiles, ITaskItem[] inputs, ITaskItem[] references)
    {
        using var collect = new CollectImageInputs
        {
            BuildEngine = engine,
            ProjectDirectory = folder[$"{root}/{project}"],
            Project = folder[$"{root}/{project}/{file}"],
            Files = [.. ownFiles.Select(path => new TaskItem(folder[path]))],
            BuildFiles = ["../keys/app.snk", ""],
            NamedInputs = [.. named.Select(path => new TaskItem(folder[path]))],
            BuildFolders = ["obj/", "bin/"],
            ReferencedInputs = inputs,
            References = references,
            UsesInputs = true,
            IsDefault = isDefault,
            Packages = packages,
            MissingReferences = [.. missing.Select(path => new TaskItem(folder[path]))],
            Evaluation = _ => evaluation,
        };
        Assert.True(collect.Execute());
        return collect.Inputs;
    }
}

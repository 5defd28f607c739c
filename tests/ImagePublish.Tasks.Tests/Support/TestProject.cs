using System.Globalization;
using System.Xml.Linq;

namespace ImagePublish.Tasks.Tests.Support;

/// <summary>A project file that a test writes and builds. Each method but the builds changes the file and returns the project.</summary>
public sealed class TestProject
{
    private static readonly string[] Queries =
    [
        "-getItem:PublishedImage",
        "-getProperty:ImageDigest",
        "-getProperty:ImageReference",
        "-getProperty:PublishDir",
    ];

    private readonly TestWorkspace workspace;
    private readonly PackedPackage package;
    private readonly XDocument document;
    private readonly ProjectRestore restore;
    private int builds;

    internal TestProject(TestWorkspace workspace, PackedPackage package, string file)
    {
        this.workspace = workspace;
        this.package = package;
        File = file;
        document = XDocument.Load(file);
        restore = new ProjectRestore(workspace.Path, file);
    }

    public string File { get; }

    public string Folder => Path.GetDirectoryName(File)!;

    /// <summary>References the package under test, as <c>dotnet add package</c> does.</summary>
    public TestProject WithImagePublish() => PackageReference(PackedPackage.Id, package.Version);

    public TestProject Property(string name, string value)
    {
        var existing = document.Root!.Elements("PropertyGroup").Elements(name).FirstOrDefault();
        if (existing is not null)
            existing.Value = value;
        else
            Group("PropertyGroup").Add(new XElement(name, value));
        return Save();
    }

    public TestProject Item(string type, string include, params (string Name, string Value)[] metadata)
    {
        var item = new XElement(type, new XAttribute("Include", include));
        foreach (var (name, value) in metadata)
            item.SetAttributeValue(name, value);
        Group("ItemGroup").Add(item);
        return Save();
    }

    public TestProject PackageReference(string id, string version) => Item("PackageReference", id, ("Version", version));

    public TestProject ProjectReference(TestProject other) => Item("ProjectReference", Path.GetRelativePath(Folder, other.File));

    /// <summary>Any other element below the root, such as a target.</summary>
    public TestProject Element(string xml)
    {
        document.Root!.Add(XElement.Parse(xml));
        return Save();
    }

    public TestProject Content(string name, string content)
    {
        workspace.Write(Path.Combine(Path.GetFileName(Folder), name), content);
        return this;
    }

    public Task<BuildOutput> PublishAsync(CancellationToken cancellationToken, params string[] arguments) =>
        RunAsync("publish", arguments, cancellationToken);

    // A build that is asked for properties only evaluates the project, unless a target is named.
    public Task<BuildOutput> BuildAsync(CancellationToken cancellationToken, params string[] arguments) =>
        TargetAsync("Build", cancellationToken, arguments);

    /// <summary>Runs one of the package's targets.</summary>
    public Task<BuildOutput> TargetAsync(string target, CancellationToken cancellationToken, params string[] arguments) =>
        RunAsync("build", [$"-t:{target}", .. arguments], cancellationToken);

    /// <summary>For <see cref="MSBuildAsync"/> and other commands that do not restore.</summary>
    public async Task RestoreAsync(CancellationToken cancellationToken, params string[] arguments)
    {
        var command = Command("restore", arguments);
        var inputs = restore.ReadInputs(Command("build", arguments))!;
        if (!restore.IsDone(inputs))
            await BuildServers.SucceedAsync(command, cancellationToken);
        restore.Complete(inputs);
    }

    /// <summary>Runs <c>dotnet msbuild</c> with the project, of which what it prints is wanted.</summary>
    public Task<CommandOutput> MSBuildAsync(CancellationToken cancellationToken, params string[] arguments) =>
        BuildServers.RunAsync(Command("msbuild", arguments), cancellationToken);

    /// <summary>The command that the builds run, for a test that changes its environment.</summary>
    public CommandLine Command(string verb, params IReadOnlyList<string> arguments) =>
        workspace.DotNet([
            verb,
            File,
            "-nologo",
            "-tl:off",
            .. verb == "publish" ? [TestWorkspace.Release] : Array.Empty<string>(),
            .. arguments,
        ]);

    /// <summary>Runs <see cref="Command"/>'s result, with an environment of its own, and reads what it built.</summary>
    public Task<BuildOutput> RunAsync(CommandLine command, CancellationToken cancellationToken) =>
        RunAsync(command, BuildServers.RunAsync, cancellationToken);

    /// <summary>Runs a command with this project as it is.</summary>
    public Task<CommandOutput> RunPlainAsync(CommandLine command, CancellationToken cancellationToken) =>
        RunRestoredAsync(command, BuildServers.RunAsync, cancellationToken);

    /// <summary>The same in a new process, for a test whose environment counts from its first moment.</summary>
    public Task<BuildOutput> RunInNewProcessAsync(CommandLine command, CancellationToken cancellationToken) =>
        RunAsync(command, (whole, cancelled) => whole.RunAsync(cancelled), cancellationToken);

    private async Task<BuildOutput> RunAsync(
        CommandLine command,
        Func<CommandLine, CancellationToken, Task<CommandOutput>> run,
        CancellationToken cancellationToken
    )
    {
        var number = Interlocked.Increment(ref builds).ToString(CultureInfo.InvariantCulture);
        var results = workspace[$"{Path.GetFileName(Folder)}.{number}.json"];
        var log = workspace[$"{Path.GetFileName(Folder)}.{number}.binlog"];
        var given = command.Arguments.Select(argument => argument == BuildOutput.Log ? $"{argument}:{log}" : argument);
        string[] arguments = [.. given, .. Queries, $"-getResultOutputFile:{results}"];
        var output = await RunRestoredAsync(command with { Arguments = arguments }, run, cancellationToken);
        return BuildOutput.Read(output, results, log);
    }

    private async Task<CommandOutput> RunRestoredAsync(
        CommandLine command,
        Func<CommandLine, CancellationToken, Task<CommandOutput>> run,
        CancellationToken cancellationToken
    )
    {
        var inputs = restore.ReadInputs(command);
        if (inputs is not null && restore.IsDone(inputs))
            command = command with { Arguments = [command.Arguments[0], "--no-restore", .. command.Arguments.Skip(1)] };
        var output = await run(command, cancellationToken);
        if (output.ExitCode == 0)
            restore.Complete(inputs);
        return output;
    }

    private Task<BuildOutput> RunAsync(string verb, string[] arguments, CancellationToken cancellationToken) =>
        RunAsync(Command(verb, arguments), BuildServers.RunAsync, cancellationToken);

    private XElement Group(string name)
    {
        var group = document.Root!.Elements(name).FirstOrDefault();
        if (group is null)
            document.Root.Add(group = new XElement(name));
        return group;
    }

    private TestProject Save()
    {
        document.Save(File);
        return this;
    }
}

using System.Globalization;
using System.Xml.Linq;

namespace ImagePublish.Tasks.Tests.Support;

/// <summary>A project file that a test writes and builds. Each method but the builds changes the file and returns the project.</summary>
public sealed class TestProject
{
    // What dotnet publish takes anyway; told so, it does not read the project once more to find that out.
    private const string Configuration = "--configuration=Release";

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
    private int builds;
    private string? restored;

    internal TestProject(TestWorkspace workspace, PackedPackage package, string file)
    {
        this.workspace = workspace;
        this.package = package;
        File = file;
        document = XDocument.Load(file);
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
        RunAsync("publish", [Configuration, .. arguments], cancellationToken);

    // A build that is asked for properties only evaluates the project, unless a target is named.
    public Task<BuildOutput> BuildAsync(CancellationToken cancellationToken, params string[] arguments) =>
        TargetAsync("Build", cancellationToken, arguments);

    /// <summary>Runs one of the package's targets.</summary>
    public Task<BuildOutput> TargetAsync(string target, CancellationToken cancellationToken, params string[] arguments) =>
        RunAsync("build", [$"-t:{target}", .. arguments], cancellationToken);

    /// <summary>Runs <c>dotnet msbuild</c> with the project, of which what it prints is wanted.</summary>
    public Task<CommandOutput> MSBuildAsync(CancellationToken cancellationToken, params string[] arguments) =>
        BuildServers.RunAsync(Command("msbuild", arguments), cancellationToken);

    /// <summary>The command that the builds run, for a test that changes its environment.</summary>
    public CommandLine Command(string verb, params IReadOnlyList<string> arguments) =>
        workspace.DotNet([verb, File, "-nologo", "-tl:off", .. arguments]);

    /// <summary>Runs <see cref="Command"/>'s result, with an environment of its own, and reads what it built.</summary>
    public Task<BuildOutput> RunAsync(CommandLine command, CancellationToken cancellationToken) =>
        RunAsync(command, BuildServers.RunAsync, cancellationToken);

    /// <summary>The same in a new process, for a test whose environment counts from its first moment.</summary>
    public Task<BuildOutput> RunInNewProcessAsync(CommandLine command, CancellationToken cancellationToken) =>
        RunAsync(command, (whole, cancelled) => whole.RunAsync(cancelled), cancellationToken);

    private async Task<BuildOutput> RunAsync(
        CommandLine command,
        Func<CommandLine, CancellationToken, Task<CommandOutput>> run,
        CancellationToken cancellationToken
    )
    {
        var state = RestoreState(command);
        if (state is not null && state == restored)
            command = command with { Arguments = [command.Arguments[0], "--no-restore", .. command.Arguments.Skip(1)] };
        var number = Interlocked.Increment(ref builds).ToString(CultureInfo.InvariantCulture);
        var results = workspace[$"{Path.GetFileName(Folder)}.{number}.json"];
        var log = workspace[$"{Path.GetFileName(Folder)}.{number}.binlog"];
        var given = command.Arguments.Select(argument => argument == BuildOutput.Log ? $"{argument}:{log}" : argument);
        string[] arguments = [.. given, .. Queries, $"-getResultOutputFile:{results}"];
        var output = await run(command with { Arguments = arguments }, cancellationToken);
        if (output.ExitCode == 0)
            restored = state;
        return BuildOutput.Read(output, results, log);
    }

    // What a restore depends on. One that has been done is not done again: it takes as long as the rest of a small publish.
    private string? RestoreState(CommandLine command)
    {
        if (
            command.Arguments[0] is not ("publish" or "build")
            || (restored is not null && !System.IO.File.Exists(Path.Combine(Folder, "obj", "project.assets.json")))
        )
            return null;
        string[] patterns = ["*.csproj", "*.props", "*.targets", "*.config", "*.lock.json", "global.json"];
        var files = patterns
            .SelectMany(pattern =>
                Directory.EnumerateFiles(
                    workspace.Path,
                    pattern,
                    new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = 1 }
                )
            )
            .Order(StringComparer.Ordinal)
            .Select(file => $"{file}\n{System.IO.File.ReadAllText(file)}");
        var settings = command
            .Arguments.Skip(1)
            .Where(argument =>
                !(
                    argument == Configuration
                    || argument.StartsWith("-t:", StringComparison.Ordinal)
                    || argument.StartsWith("-v:", StringComparison.Ordinal)
                    || argument.StartsWith("-p:Image", StringComparison.OrdinalIgnoreCase)
                )
                || argument.StartsWith("-p:ImagePlatforms", StringComparison.OrdinalIgnoreCase)
                || argument.StartsWith("-p:ImageRuntime", StringComparison.OrdinalIgnoreCase)
            );
        var environment = command
            .Environment.Where(variable => IsReadByRestore(variable.Key))
            .Select(variable => $"{variable.Key}={variable.Value}")
            .Order(StringComparer.Ordinal);
        return string.Join('\n', [.. settings, .. environment, .. files]);
    }

    // Variables of CI systems, and those of the package, have an underscore; properties that are set as variables have none.
    private static bool IsReadByRestore(string variable) =>
        !variable.Contains('_', StringComparison.Ordinal)
        || variable.StartsWith("NUGET_", StringComparison.Ordinal)
        || variable.StartsWith("DOTNET_", StringComparison.Ordinal);

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

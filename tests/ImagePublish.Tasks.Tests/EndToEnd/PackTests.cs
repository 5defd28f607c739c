using System.IO.Compression;
using System.Reflection;
using System.Reflection.PortableExecutable;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using ImagePublish.Tasks.Tests.Support;

namespace ImagePublish.Tasks.Tests.EndToEnd;

/// <summary>Packing this repository's own package.</summary>
public sealed class PackTests
{
    private const string Repository = "https://example.com/acme/imagepublish";

    private static string Configuration => typeof(PackTests).Assembly.GetCustomAttribute<AssemblyConfigurationAttribute>()!.Configuration;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(PackedPackage.Id, "README.md", "", "nupkg snupkg")]
    [InlineData(PackedPackage.AspireId, "aspire.md", "docs/", "nupkg snupkg")]
    [InlineData(PackedPackage.TemplatesId, "README.md", "src/ImagePublish.Templates/", "nupkg")]
    [ReliabilityCase("Projects", "this package is packed twice", "the same bytes; links in its readme point to the commit")]
    public async Task TheSameCommitIsTheSamePackage(string id, string readme, string folder, string kinds)
    {
        using var first = await PackAsync(id);
        using var second = await PackAsync(id);

        var names = kinds.Split(' ').Select(kind => $"{id}.1.2.3.{kind}").ToList();
        Assert.Equal(names, Directory.GetFiles(first.Path).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        foreach (var name in names)
            Assert.Equal(await File.ReadAllBytesAsync(first[name], Cancelled), await File.ReadAllBytesAsync(second[name], Cancelled));
        using var package = await ZipFile.OpenReadAsync(first[$"{id}.1.2.3.nupkg"], Cancelled);
        var commit = (string?)Metadata(package, "repository")!.Attribute("commit");
        Assert.Equal(Repository, (string?)Metadata(package, "repository")!.Attribute("url"));
        Assert.Equal(Repository, (string?)Metadata(package, "projectUrl"));
        Assert.Equal("icon.png", (string?)Metadata(package, "icon"));
        Assert.StartsWith("### Added", (string?)Metadata(package, "releaseNotes"), StringComparison.Ordinal);
        var page = await ReadAsync(package, readme);
        var link = new Regex($@"(?<=\]\(){Regex.Escape(Repository)}/(?:blob|raw)/{commit}/{folder}");
        Assert.DoesNotMatch(@"\]\((?!https?:|#)", page);
        var source = (await File.ReadAllTextAsync(Path.Combine(RepositoryRoot.Path, folder, readme), Cancelled)).TrimEnd();
        Assert.Equal(source, link.Replace(page.TrimEnd(), ""));

        // What a link leads to is in the repository.
        Assert.All(link.Matches(page), found =>
        {
            var path = page[(found.Index + found.Length)..].Split('#', ')')[0];
            Assert.True(Path.Exists(Path.Combine(RepositoryRoot.Path, folder, path)), path);
        });
        Assert.NotEmpty(link.Matches(page));
    }

    [Fact]
    public async Task NothingIsMissingAndNothingIsNeedless()
    {
        using var folder = await PackAsync(PackedPackage.Id);

        using var package = await ZipFile.OpenReadAsync(folder[$"{PackedPackage.Id}.1.2.3.nupkg"], Cancelled);
        using var symbols = await ZipFile.OpenReadAsync(folder[$"{PackedPackage.Id}.1.2.3.snupkg"], Cancelled);
        var names = package.Entries.Select(entry => entry.FullName).ToList();
        var kinds = names.Where(name => name.Contains('/', StringComparison.Ordinal)).Select(name => Path.GetExtension(name)).Distinct();
        Assert.Equal([".dll", ".json", ".md", ".proj", ".props", ".psmdcp", ".rels", ".targets"], kinds.Order(StringComparer.Ordinal));
        Assert.Superset(
            new HashSet<string> { "LICENSE", "README.md", "THIRD-PARTY-NOTICES.md", "docs/troubleshooting.md", "icon.png" },
            names.ToHashSet()
        );
        // Each library and each file of targets that the sources have.
        var sources = Directory
            .EnumerateFiles(Path.Combine(RepositoryRoot.Path, "build"), "*", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(RepositoryRoot.Path, file).Replace('\\', '/'))
            .Where(file => file != "build/ImagePublish.Tasks.multitargeting.targets");
        Assert.Superset(sources.ToHashSet(), names.ToHashSet());
        Assert.Contains("buildMultiTargeting/ImagePublish.Tasks.targets", names);
        Assert.Equal(
            ["ImagePublish.Tasks.pdb", "ImagePublish.pdb"],
            symbols
                .Entries.Select(entry => entry.Name)
                .Where(name => name.EndsWith(".pdb", StringComparison.Ordinal))
                .Order(StringComparer.Ordinal)
        );
        await CheckCompiledAsync(package);
    }

    [Fact]
    public async Task AReleaseIsCompiledForEachKindOfMachineOnce()
    {
        var items = await MSBuild(
                PackedPackage.GlobalPackages,
                "-t:_FindReadyToRunFiles",
                "-p:ImageReadyToRunIdentifiers=all",
                "-getItem:_ReadyToRunCode,PackageDownload"
            )
            .SucceedAsync(Cancelled);

        using var document = JsonDocument.Parse(items.Output);
        var code = document.RootElement.GetProperty("Items").GetProperty("_ReadyToRunCode").EnumerateArray().ToList();
        var files = code.ToLookup(item => item.GetProperty("Identifier").GetString(), item => item.GetProperty("Filename").GetString());
        Assert.Equal(["linux-arm64", "linux-x64", "osx-arm64", "win-arm64", "win-x64"], files.Select(file => file.Key).Order());
        Assert.All(files, file => Assert.Equal(files["linux-x64"], file));
        Assert.Contains("ImagePublish", files["linux-x64"]);
        // Each against its own framework.
        var packages = document.RootElement.GetProperty("Items").GetProperty("PackageDownload").EnumerateArray();
        var frameworks = packages
            .Select(package => package.GetProperty("Identity").GetString()!.Split(".Runtime."))
            .Where(name => name.Length == 2)
            .Select(name => name[1])
            .ToHashSet();
        Assert.Superset(frameworks, files.Select(file => file.Key!).ToHashSet());
        Assert.True(frameworks.Count >= 4);
    }

    [Fact]
    public async Task EachMachineTakesItsFolder()
    {
        string[] compiled = ["linux-x64", "linux-arm64", "win-x64", "win-arm64", "osx-arm64"];
        string[] machines = [.. compiled, "linux-musl-x64", "linux-musl-arm64", "osx-x64", "win-x86", "linux-riscv64", ""];
        using var package = new TemporaryFolder();
        foreach (var name in compiled)
            Directory.CreateDirectory(package[$"tasks/net10.0/{name}"]);
        Directory.CreateDirectory(package["build"]);
        const string Targets = "build/ImagePublish.Tasks.Commands.targets";
        File.Copy(Path.Combine(RepositoryRoot.Path, Targets), package[Targets]);
        package.Write(
            "machine.proj",
            $"""
            <Project>
              <Import Project="{Targets}" />
              <Target Name="Ask" Returns="$(NETCoreSdkPortableRuntimeIdentifier)=$([MSBuild]::MakeRelative('$(MSBuildThisFileDirectory)tasks', '$(_ImageTasksFolder)'))" />
            </Project>
            """
        );
        var all = package.Write(
            "all.proj",
            $"""
            <Project>
              <ItemGroup><Machine Include="{string.Join(
                ';',
                machines.Select(name => $"NETCoreSdkPortableRuntimeIdentifier={name}")
            )}" /></ItemGroup>
              <Target Name="AskAll">
                <MSBuild Projects="machine.proj" Targets="Ask" Properties="%(Machine.Identity)">
                  <Output TaskParameter="TargetOutputs" ItemName="Answer" />
                </MSBuild>
              </Target>
            </Project>
            """
        );

        var output = await DotNetCommand.Create(package.Path, "msbuild", all, "-t:AskAll", "-getItem:Answer").SucceedAsync(Cancelled);

        using var document = JsonDocument.Parse(output.Output);
        var answers = document.RootElement.GetProperty("Items").GetProperty("Answer").EnumerateArray();
        Assert.Equal(
            machines.Select(name => $"{name}=net10.0/{FolderOf(name)}"),
            answers.Select(answer => answer.GetProperty("Identity").GetString())
        );

        string FolderOf(string machine) =>
            machine switch
            {
                "linux-musl-x64" => "linux-x64/",
                "linux-musl-arm64" => "linux-arm64/",
                _ => compiled.Contains(machine) ? $"{machine}/" : "",
            };
    }

    [Fact]
    [ReliabilityCase(
        "Projects",
        "this package is packed with `NUGET_PACKAGES` without a trailing slash, or with the compiler in a fallback folder",
        "the compiler is found; otherwise one error says what is missing"
    )]
    public async Task TheCompilerIsFoundInEveryPackageFolder()
    {
        using var folder = new TemporaryFolder();
        var root = (await MSBuild("", "-getProperty:NuGetPackageRoot").SucceedAsync(Cancelled)).Output.Trim().TrimEnd('/');

        var inRoot = await MSBuild(root, "-t:_FindReadyToRunFiles", "-getProperty:_ReadyToRunCompiler").SucceedAsync(Cancelled);
        var inFallback = await MSBuild($"{folder.Path};{root}", "-t:_FindReadyToRunFiles", "-getProperty:_ReadyToRunCompiler")
            .SucceedAsync(Cancelled);
        var nowhere = await MSBuild(folder.Path, "-t:_FindReadyToRunFiles").RunAsync(Cancelled);

        Assert.True(File.Exists(inRoot.Output.Trim()), inRoot.Output);
        Assert.Equal(inRoot.Output, inFallback.Output);
        Assert.Matches(
            $"error : The ReadyToRun compiler microsoft\\.netcore\\.app\\.crossgen2\\..* is in none of the package folders {folder.Path}",
            nowhere.All
        );
    }

    // The first folder is the root, as in what a restore writes.
    private static CommandLine MSBuild(string folders, params string[] arguments)
    {
        var command = DotNetCommand.Create(
            RepositoryRoot.Path,
            [
                "msbuild",
                Path.Combine("src", PackedPackage.Id, $"{PackedPackage.Id}.csproj"),
                "-nologo",
                "-tl:off",
                "-p:NoBuild=true",
                "-p:ImageReadyToRun=true",
                $"-p:Configuration={Configuration}",
                .. arguments,
            ]
        );
        return command with
        {
            Environment = new Dictionary<string, string?>(command.Environment)
            {
                ["NuGetPackageRoot"] = folders.Split(';')[0],
                ["NuGetPackageFolders"] = folders,
            },
        };
    }

    // In a folder for this machine, and nothing else.
    private static async Task CheckCompiledAsync(ZipArchive package)
    {
        var assemblies = package.Entries.Where(entry => entry.Name.EndsWith(".dll", StringComparison.Ordinal)).ToList();
        var plain = assemblies.Where(entry => entry.FullName == $"tasks/net10.0/{entry.Name}").Select(entry => entry.Name).ToList();
        var compiled = assemblies.Where(entry => !plain.Contains(entry.FullName["tasks/net10.0/".Length..])).ToList();
        var identifier = RuntimeInformation.RuntimeIdentifier.Replace("-musl", "", StringComparison.Ordinal);
        Assert.Equal(
            plain
                .Where(name => name != "BouncyCastle.Cryptography.dll")
                .Select(name => $"tasks/net10.0/{identifier}/{name}")
                .Order(StringComparer.Ordinal),
            compiled.Select(entry => entry.FullName).Order(StringComparer.Ordinal)
        );
        Assert.Contains("ImagePublish.Tasks.dll", plain);
        foreach (var entry in compiled)
        {
            var content = new MemoryStream();
            await using (var from = await entry.OpenAsync(Cancelled))
                await from.CopyToAsync(content, Cancelled);
            content.Position = 0;
            using var assembly = new PEReader(content);
            Assert.NotEqual(0, assembly.PEHeaders.CorHeader!.ManagedNativeHeaderDirectory.Size);
            Assert.Equal(MachineOf(identifier), (int)assembly.PEHeaders.CoffHeader.Machine);
        }
    }

    // Crossgen2 marks code for other systems than Windows in the field of the machine.
    private static int MachineOf(string identifier) =>
        identifier.Split('-') switch
        {
            [var system, var processor] => (int)(processor == "arm64" ? Machine.Arm64 : Machine.Amd64)
                ^ system switch
                {
                    "linux" => 0x7B79,
                    "osx" => 0x4644,
                    _ => 0,
                },
            _ => throw new ArgumentException(identifier, nameof(identifier)),
        };

    private static async Task<TemporaryFolder> PackAsync(string id)
    {
        var folder = new TemporaryFolder();
        await DotNetCommand
            .Create(
                RepositoryRoot.Path,
                "pack",
                Path.Combine("src", id, $"{id}.csproj"),
                "--no-build",
                "--nologo",
                $"--configuration={Configuration}",
                $"--output={folder.Path}",
                "-p:PackageVersion=1.2.3",
                $"-p:RepositoryUrl={Repository}",
                $"-p:NuspecOutputPath={folder["nuspec"]}/"
            )
            .SucceedAsync(Cancelled);
        return folder;
    }

    private static XElement? Metadata(ZipArchive package, string name)
    {
        using var nuspec = package.Entries.Single(entry => entry.Name.EndsWith(".nuspec", StringComparison.Ordinal)).Open();
        return XDocument.Load(nuspec).Descendants().SingleOrDefault(element => element.Name.LocalName == name);
    }

    private static async Task<string> ReadAsync(ZipArchive package, string name)
    {
        using var reader = new StreamReader(await package.GetEntry(name)!.OpenAsync(Cancelled));
        return await reader.ReadToEndAsync(Cancelled);
    }
}

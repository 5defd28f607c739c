using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;
using ImagePublish.Diagnostics;
using ImagePublish.Layers;
using ImagePublish.Policies;

namespace ImagePublish.Tests.Policies;

/// <summary>What should never ship besides secrets, and what looks like it.</summary>
public sealed class ContentPolicyTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("imagepublish-policy-").FullName;
    private readonly List<LayerEntry> entries = [];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void SourcesAreOneLineHoweverManyThereAre()
    {
        Add("Program.cs", "class A;");
        Add("Shop.csproj", "<Project />");
        Add("src/B.cs", "class B;");
        Add(".git/config", "[core]");
        Add(".git/HEAD", "ref: refs/heads/main");

        var found = Find();

        Assert.Equal([DiagnosticCodes.DevelopmentFileInImage, DiagnosticCodes.DevelopmentFileInImage], found.Select(one => one.Code));
        Assert.StartsWith("'/app/.git/HEAD' and 1 more files are part of a repository", found[0].Message, StringComparison.Ordinal);
        Assert.StartsWith("'/app/Program.cs' and 2 more files are source code", found[1].Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Views/Home.cshtml")]
    [InlineData("query.sql")]
    [InlineData("wwwroot/app.ts")]
    [InlineData(".github/README.txt")]
    [InlineData(".gitignore")]
    [InlineData("appsettings.Development.json")]
    public void OtherFilesAreNoSources(string path)
    {
        Add(path, "anything");

        Assert.Empty(Find());
    }

    [Fact]
    public void DevelopmentSettingsCountWhereTheProjectSaysSo()
    {
        Add("appsettings.Development.json", "{}");
        Add("Properties/launchSettings.json", "{}");

        var finding = Assert.Single(Find(new PolicyRequest { ForbidsDevelopmentSettings = true }));

        Assert.StartsWith("'/app/Properties/launchSettings.json' and 1 more", finding.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void WhatPackagesBringIsNotLookedAt()
    {
        Add("contentFiles/Template.cs", "class A;");
        Add("certs/test.pem", System.Security.Cryptography.RSA.Create(2048).ExportPkcs8PrivateKeyPem());

        Assert.Equal(2, Find().Count);
        Assert.Empty(
            Find(
                null,
                new PublishItem("contentFiles/Template.cs", PublishItemOrigin.Package) { Package = "A" },
                new PublishItem(@"certs\test.pem", PublishItemOrigin.Runtime)
            )
        );
    }

    [Fact]
    public void AFileThatEverybodyCanChangeIsFound()
    {
        Add("data.txt", "anything", UnixFileMode.UserWrite | UnixFileMode.OtherWrite);
        Assert.StartsWith("'/app/data.txt' is writable by every user", Assert.Single(Find()).Message, StringComparison.Ordinal);
        Assert.Empty(new ContentPolicy(new PolicyRequest(), [], isWindows: true).Find(entries, Cancel));
    }

    [Theory]
    [InlineData(0x1FF, 1)]
    [InlineData(0x3FF, 0)]
    [InlineData(0x1FD, 0)]
    public void AFolderThatAllShareHasTheStickyBit(int mode, int findings)
    {
        entries.Add(new LayerEntry("app/data", LayerEntryKind.Directory) { Mode = (UnixFileMode)mode });

        Assert.Equal(findings, Find().Count);
    }

    [Fact]
    public void ALinkIsWritableByNobody()
    {
        entries.Add(new LayerEntry("app/link", LayerEntryKind.SymbolicLink) { LinkTarget = "data" });

        Assert.Empty(Find());
    }

    [Fact]
    public void AnAssemblyInTwoVersionsIsFound()
    {
        AddAssembly("Json.dll", "Json", new Version(13, 0, 0, 0));
        AddAssembly("tools/Json.dll", "Json", new Version(12, 0, 0, 0));

        var finding = Assert.Single(Find());

        Assert.Equal(DiagnosticCodes.AssemblyTwice, finding.Code);
        Assert.Contains("'/app/Json.dll' 13.0.0.0, '/app/tools/Json.dll' 12.0.0.0", finding.Message, StringComparison.Ordinal);
        Assert.Empty(Find(new PolicyRequest { AllowedFiles = ["/app/tools/*.dll"] }));
    }

    [Theory]
    [InlineData("tools/Json.dll", "13.0.0.0", "the same version")]
    [InlineData("de/Json.resources.dll", "12.0.0.0", "a translation")]
    [InlineData("refs/Json.dll", "12.0.0.0", "a reference assembly")]
    [InlineData("runtimes/unix/lib/net10.0/Json.dll", "12.0.0.0", "a variant for a platform")]
    [InlineData("wwwroot/_framework/Json.dll", "12.0.0.0", "of an app that runs in the browser")]
    [InlineData("plugins/a/Json.dll", "12.0.0.0", "of a plug-in that is loaded apart")]
    public void WhatIsLoadedApartDoesNotCount(string path, string version, string because)
    {
        AddAssembly("Json.dll", "Json", new Version(13, 0, 0, 0));
        AddAssembly(path, "Json", Version.Parse(version));
        Add("plugins/a/a.deps.json", "{}");

        Assert.True(Find().Count == 0, because);
    }

    [Fact]
    public void ADamagedAssemblyIsNoAssembly()
    {
        AddAssembly("Json.dll", "Json", new Version(13, 0, 0, 0));
        Add("tools/Json.dll", "MZ and nothing more");

        Assert.Empty(Find());
    }

    [Fact]
    public void OnlySmallFilesWithLikelyNamesAreRead()
    {
        Add("App.dll", new string('x', 1000));
        Add("App.deps.json", "{ \"targets\": {} }");
        Add("wwwroot/site.css", "body { margin: 0 }");
        Add("huge.txt", new string('x', SecretFiles.MaxLength + 1));
        Add("appsettings.json", "{ \"a\": \"b\" }");
        var policy = new ContentPolicy(new PolicyRequest(), [], isWindows: false);

        policy.Find(entries, Cancel);

        Assert.Equal(1, policy.FilesRead);
    }

    [Fact]
    public void ALongListIsCutShort()
    {
        for (var index = 0; index < 25; index++)
            Add($"env{index:00}/.env", "NAME=value");

        var found = Find();

        Assert.Equal(11, found.Count);
        Assert.StartsWith("15 more files have something similar", found[^1].Message, StringComparison.Ordinal);
    }

    private IReadOnlyList<Finding> Find(PolicyRequest? policy = null, params PublishItem[] items) =>
        new ContentPolicy(policy ?? new PolicyRequest(), items, isWindows: false).Find(
            [.. entries.OrderBy(entry => entry.Path, StringComparer.Ordinal)],
            Cancel
        );

    private void Add(string path, string content, UnixFileMode mode = Modes.Plain) =>
        Add(path, System.Text.Encoding.UTF8.GetBytes(content), mode);

    private void Add(string path, byte[] content, UnixFileMode mode = Modes.Plain)
    {
        var file = Path.Combine(folder, Path.GetRandomFileName());
        File.WriteAllBytes(file, content);
        entries.Add(
            new LayerEntry("app/" + path, LayerEntryKind.File)
            {
                Content = new FileOnDisk(file, content.Length),
                PublishPath = path,
                Mode = mode,
            }
        );
    }

    private void AddAssembly(string path, string name, Version version)
    {
        var metadata = new MetadataBuilder();
        metadata.AddAssembly(metadata.GetOrAddString(name), version, default, default, default, AssemblyHashAlgorithm.None);
        metadata.AddModule(0, metadata.GetOrAddString(name + ".dll"), metadata.GetOrAddGuid(Guid.NewGuid()), default, default);
        var image = new ManagedPEBuilder(new PEHeaderBuilder(), new MetadataRootBuilder(metadata), new BlobBuilder());
        var content = new BlobBuilder();
        image.Serialize(content);
        Add(path, content.ToArray());
    }
}

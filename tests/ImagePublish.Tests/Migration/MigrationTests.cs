using System.Text;
using ImagePublish.Diagnostics;
using ImagePublish.Dockerfiles;
using ImagePublish.Migration;
using ImagePublish.Reporting;

namespace ImagePublish.Tests.Migration;

/// <summary>Where a Dockerfile is looked for, container settings, and what is pasted.</summary>
public sealed class MigrationTests : IDisposable
{
    private static readonly string[] Pieces = """$ { } " ' \ [ ] < <<EOF : ; & | % ( ) = / --from= .. *""".Split(' ');

    private readonly string folder = Directory.CreateTempSubdirectory("imagepublish-migration-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void TheDockerfileBesideTheProjectIsFound()
    {
        Write("Shop/Dockerfile.debug", "");
        Assert.Equal(Write("Shop/Dockerfile", ""), Search().Find());
    }

    [Fact]
    public void ASolutionsFolderHasThoseOfItsProjects()
    {
        Write("Shop.slnx", "");
        Write("Other.Dockerfile", "FROM a\nCOPY Other/Other.csproj .");
        var own = Write("web.Dockerfile", "FROM a\nCOPY src/Shop/Shop.csproj .");
        var search = Search("src/Shop");

        Assert.Equal(own, search.Find());
        Assert.Equal(folder, search.ContextOf(own, null));
        Assert.Equal(Path.Combine(folder, "src"), search.ContextOf(own, "src\\"));
    }

    [Fact]
    public void NothingAboveTheSolutionIsRead()
    {
        Write("Dockerfile", "FROM a\nCOPY Shop/Shop.csproj .");
        Write("code/Shop.sln", "");

        Assert.Null(Search("code/Shop").Find());
    }

    [Fact]
    public void SeveralAreNamed()
    {
        Write("Shop/Dockerfile.arm", "");
        Write("Shop/Dockerfile.amd64", "");

        var failure = Assert.Throws<ImagePublishException>(() => Search().Find());
        Assert.Equal(DiagnosticCodes.SeveralDockerfiles, failure.Code);
        Assert.Contains("Dockerfile.amd64, Dockerfile.arm. Name one with ImageDockerfile.", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ADockerfileOfAnotherWorldIsRefused()
    {
        var file = DockerfileReader.Read("x", "FROM python:3.13\nCOPY app.py .\nCMD [\"python\", \"app.py\"]\n");

        var failure = Assert.Throws<ImagePublishException>(() => DockerfileMigration.Translate(file, "x", MigrationCase.App("worker")));
        Assert.Equal(DiagnosticCodes.DockerfileForeign, failure.Code);
    }

    [Fact]
    public void SettingsOfTheSdkHaveNamesHere()
    {
        var findings = SdkMigration.Translate([
            new("ContainerRegistry", "ghcr.io"),
            new("ContainerUser", ""),
            new("ContainerFamily", "alpine"),
            new("LocalRegistry", "Docker"),
            new("AutoGenerateImageTag", "true"),
            new("ContainerEntrypoint", "dotnet;x.dll"),
            new("EnableSdkContainerSupport", "true"),
            new("DockerDefaultTargetOS", "Linux"),
            new("ContainerPort", "8081", new Dictionary<string, string> { ["Type"] = "udp" }),
            new("ContainerEnvironmentVariable", "ONE", new Dictionary<string, string> { ["Value"] = "1" }),
            new("ContainerEnvironmentVariable", "DB_PASSWORD", new Dictionary<string, string> { ["Value"] = "hunter2" }),
        ]);

        Assert.Equal(
            """
            LINE  NOW                                         RESULT      HERE
                  ContainerRegistry ghcr.io                   set         ImageRegistry ghcr.io: is read as it is; the snippet says the same
                  ContainerFamily alpine                      set         ImageBaseFamily alpine: is read as it is; the snippet says the same
                  LocalRegistry Docker                        set         ImageLoad docker: for PublishImage
                  AutoGenerateImageTag true                   check       ImageTags {date:yyyyMMddHHmmss}: the commit's time, not the clock's
                  ContainerEntrypoint dotnet;x.dll            default     is read as it is; in this package's words, ImageEntrypoint and ImageCommand
                  EnableSdkContainerSupport true              not needed  only the SDK's own publishing needs it
                  DockerDefaultTargetOS Linux                 not needed  only for debugging with a Dockerfile in Visual Studio
                  ContainerPort 8081                          set         ImagePort 8081: is read as it is; the snippet says the same
                  ContainerEnvironmentVariable ONE=1          set         ImageEnvironmentVariable ONE: is read as it is; the snippet says the same
                  ContainerEnvironmentVariable DB_PASSWORD=…  by hand     anyone who has the image can read it: pass it when the container starts

            5 set, 1 default, 2 not needed, 1 check, 1 by hand.

            For Shop.csproj:

            <PropertyGroup>
              <ImageRegistry>ghcr.io</ImageRegistry>
              <ImageBaseFamily>alpine</ImageBaseFamily>
              <ImageLoad>docker</ImageLoad>
              <ImageTags>{date:yyyyMMddHHmmss}</ImageTags>
            </PropertyGroup>

            <ItemGroup>
              <ImagePort Include="8081" Protocol="udp" />
              <ImageEnvironmentVariable Include="ONE" Value="1" />
            </ItemGroup>
            """,
            string.Join('\n', MigrationTables.Of(findings, "Shop.csproj"))
        );
    }

    [Theory]
    [InlineData("$(X) @(Y) %20 %z", "%24(X) %40(Y) %2520 %z")]
    [InlineData("a<b & \"c\" 'd'", "a&lt;b &amp; &quot;c&quot; 'd'")]
    [InlineData("one\ntwo", "one&#xA;two")]
    public void ValuesKeepTheirMeaningInAProject(string value, string xml) =>
        Assert.Equal(
            $"<ImageLabel Include=\"a\" Value=\"{xml}\" />",
            MigrationSnippet.Xml(MigrationEntry.Item("ImageLabel", "a", ("Value", value)))
        );

    [Fact]
    public void WordsOfAListKeepTheirSemicolons() =>
        Assert.Equal("<ImageCommand Include=\"a%3Bb;%2A\" />", MigrationSnippet.Xml(MigrationEntry.List("ImageCommand", ["a;b", "*"])));

    [Fact]
    public void OfTwoThatSayTheSameTheFirstStays() =>
        Assert.Equal(
            ["<PropertyGroup>", "  <ImageUser>app</ImageUser>", "</PropertyGroup>"],
            MigrationSnippet.Lines([MigrationEntry.Property("ImageUser", "app"), MigrationEntry.Property("ImageUser", "root")])
        );

    [Fact]
    public void ALargeDockerfileIsReadInLittleMemory()
    {
        var pairs = string.Join(' ', Enumerable.Range(0, 100).Select(number => $"V{number}=x"));
        var lines = Enumerable.Range(0, 900).Select(number => $"ENV L{number}=$L{number - 1} {pairs}\nEXPOSE {number + 1}\n");
        var text = $"FROM mcr.microsoft.com/dotnet/aspnet:10.0\n{string.Concat(lines)}";
        var before = GC.GetAllocatedBytesForCurrentThread();

        var findings = DockerfileMigration.Translate(DockerfileReader.Read("x", text), "x", MigrationCase.App("two-stages"));

        Assert.True(findings.Count > 900);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 4L << 30);
        Assert.InRange(GC.GetTotalMemory(forceFullCollection: true), 0, 500L << 20);
    }

    [Fact]
    public void NothingButADocumentedFailureComesOutOfDamagedDockerfiles()
    {
        var random = new Random(20261129);
        var texts = MigrationCase.Names.Select(name => File.ReadAllText(Path.Combine(MigrationCase.Folder, name, "Dockerfile"))).ToList();
        for (var round = 0; round < 3000; round++)
        {
            var text = new StringBuilder(texts[random.Next(texts.Count)]);
            for (var change = random.Next(1, 8); change > 0; change--)
                Damage(text, texts[random.Next(texts.Count)], random);
            try
            {
                var file = DockerfileReader.Read("Dockerfile", text.ToString());
                var findings = DockerfileMigration.Translate(file, "Dockerfile", MigrationCase.App("worker"));
                Assert.All(MigrationTables.Of(findings, "Shop.csproj"), line => Assert.DoesNotContain('\n', line));
            }
            catch (ImagePublishException failure)
            {
                Assert.True(
                    failure.Code == DiagnosticCodes.DockerfileMalformed || failure.Code == DiagnosticCodes.DockerfileForeign,
                    failure.Message
                );
            }
        }
    }

    private static void Damage(StringBuilder text, string other, Random random)
    {
        var at = random.Next(text.Length);
        switch (random.Next(4))
        {
            case 0:
                text.Remove(at, Math.Min(random.Next(1, 30), text.Length - at));
                break;
            case 1:
                text.Insert(at, Pieces[random.Next(Pieces.Length)]);
                break;
            case 2:
                var start = random.Next(other.Length);
                text.Insert(at, other.AsSpan(start, Math.Min(random.Next(1, 80), other.Length - start)));
                break;
            default:
                text[at] = (char)random.Next(1, 0xFFFF);
                break;
        }

        if (text.Length == 0)
            text.Append('#');
    }

    private DockerfileSearch Search(string project = "Shop") => new(Write($"{project}/Shop.csproj", ""), "Shop");

    private string Write(string name, string content)
    {
        var path = Path.Combine(folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, content);
        return path;
    }
}

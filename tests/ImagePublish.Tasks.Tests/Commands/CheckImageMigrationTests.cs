using System.Security;
using System.Text.Json.Nodes;
using ImagePublish.Tasks.Tests.Support;

namespace ImagePublish.Tasks.Tests.Commands;

/// <summary>A project's Dockerfile and container settings, as a user asks about them.</summary>
public sealed class CheckImageMigrationTests(Peers peers)
{
    private const string Dockerfile = """
        FROM mcr.microsoft.com/dotnet/sdk:10.0 AS build
        WORKDIR /src
        COPY Shop/Shop.csproj Shop/
        COPY . .
        RUN dotnet publish Shop -c Release -p:InvariantGlobalization=true -o /app

        FROM mcr.microsoft.com/dotnet/aspnet:10.0-alpine
        RUN apk add icu-libs
        ENV TOKEN=abcdefgh TZ=Europe/Berlin
        WORKDIR /app
        COPY --from=build /app .
        COPY settings.json /etc/shop/
        USER app
        ENTRYPOINT ["dotnet", "Shop.dll"]
        """;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task ADockerfileInTheSolutionsFolderAndSettingsAreTranslatedAndNothingIsChanged()
    {
        using var workspace = await peers.WorkspaceAsync();
        workspace.Solution("Shop.slnx", "Shop", "Lib");
        workspace.Write("Dockerfile", Dockerfile);
        workspace.Write("settings.json", "{}");
        var library = workspace.Empty("Lib").WithImagePublish();
        var project = workspace
            .Empty("Shop", "Microsoft.NET.Sdk.Web")
            .WithImagePublish()
            .Property("ContainerRegistry", "ghcr.io")
            .Property("DockerDefaultTargetOS", "Linux")
            .Item("ContainerLabel", "com.acme.team", ("Value", "shop"));
        var before = await File.ReadAllTextAsync(project.File, Cancelled);
        await BuildServers.SucceedAsync(workspace.DotNet("restore", workspace["Shop.slnx"]), Cancelled);

        var output = (await project.MSBuildAsync(Cancelled, "-t:CheckImageMigration")).EnsureSuccess();

        string[] lines = [.. output.Output.ReplaceLineEndings("\n").Split('\n').Select(line => line.Trim())];
        Assert.Contains("Shop: ../Dockerfile", lines);
        Assert.Contains("<InvariantGlobalization>true</InvariantGlobalization>", lines);
        Assert.Contains("<ImageBaseFamily>alpine</ImageBaseFamily>", lines);
        Assert.Contains("<ImageRegistry>ghcr.io</ImageRegistry>", lines);
        Assert.Contains("""<ImageEnvironmentVariable Include="TZ" Value="Europe/Berlin" />""", lines);
        Assert.Contains("""<ImageFile Include="../settings.json" TargetPath="/etc/shop/" />""", lines);
        Assert.Contains("""<ImageLabel Include="com.acme.team" Value="shop" />""", lines);
        Assert.DoesNotContain("abcdefgh", output.All, StringComparison.Ordinal);
        Assert.Equal(before, await File.ReadAllTextAsync(project.File, Cancelled));

        var json = JsonNode.Parse(
            await File.ReadAllTextAsync(Path.Combine(project.Folder, "obj/Debug/net10.0/ImagePublish.CheckImageMigration.json"), Cancelled)
        )!;
        var apk = json["items"]!.AsArray().Single(item => (string?)item!["result"] == "by hand" && (int)item["line"]! == 8)!;
        Assert.Equal("RUN apk add icu-libs", (string?)apk["identity"]);
        Assert.Equal(workspace["Dockerfile"], (string?)apk["file"]);
        Assert.StartsWith("ImagePackage is for Debian and Ubuntu", (string?)apk["note"], StringComparison.Ordinal);
        Assert.Contains(json["items"]!.AsArray(), item =>
            (string?)item!["xml"] == "<ImageBaseFamily>alpine</ImageBaseFamily>" && (string?)item["result"] == "set"
        );

        // A library of a solution is no mistake.
        var check = workspace.DotNet("msbuild", workspace["Shop.slnx"], "-t:CheckImageMigration", "-v:m");
        var solution = await BuildServers.SucceedAsync(check, Cancelled);
        Assert.Contains("Shop: ../Dockerfile", solution.Output, StringComparison.Ordinal);
        Assert.DoesNotContain(Path.GetFileName(library.File), solution.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task EveryMistakeIsOneLineWithItsCode()
    {
        using var workspace = await peers.WorkspaceAsync();
        workspace.Write("Shop.slnx", "<Solution />");
        workspace.Write("binary", "FROM a\0b");
        workspace.Write("broken", "FROM a b c d\n");
        workspace.Write("python", "FROM python:3.13\nCMD python app.py\n");
        var project = workspace.Empty("Shop").WithImagePublish().Property("OutputType", "$(Kind)").Content("Program.cs", "return;");
        (string Code, string Says, string Properties)[] mistakes =
        [
            ("IMG1150", "Name the Dockerfile with ImageDockerfile", "Kind=Exe"),
            ("IMG1151", "missing", "Kind=Exe;ImageDockerfile=missing"),
            ("IMG1151", "it is not text", "Kind=Exe;ImageDockerfile=../binary"),
            ("IMG1152", "Dockerfile.a, Dockerfile.b", "Kind=Exe;HasSeveral=true"),
            ("IMG1153", "is not for an app of .NET", "Kind=Exe;ImageDockerfile=../python"),
            ("IMG1154", "OutputType is Library, not Exe", "Kind=Library"),
            ("IMG1155", "line 1: FROM has to be", "Kind=Exe;DockerfileFile=../broken"),
        ];
        var calls = mistakes.Select(mistake =>
            $"""<MSBuild Projects="$(MSBuildProjectFullPath)" Targets="CheckImageMigration" Properties="{SecurityElement.Escape(mistake.Properties)}" ContinueOnError="true" />"""
        );
        project.Element($"<Target Name=\"Mistakes\">{string.Concat(calls)}</Target>");
        project.Element(
            """<Target Name="Several" BeforeTargets="CheckImageMigration" Condition="'$(HasSeveral)' == 'true'"><WriteLinesToFile File="Dockerfile.a" Lines="FROM x" /><WriteLinesToFile File="Dockerfile.b" Lines="FROM x" /></Target>"""
        );
        await project.RestoreAsync(Cancelled, "-p:Kind=Exe");

        var output = await project.MSBuildAsync(Cancelled, "-t:Mistakes", "-v:m", "-p:Kind=Exe");

        ReportedMistakes.Check(output, [.. mistakes.Select(mistake => (mistake.Code, mistake.Says))]);
    }
}

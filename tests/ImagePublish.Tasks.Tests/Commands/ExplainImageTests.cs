using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using ImagePublish.Tasks.Tests.Support;

namespace ImagePublish.Tasks.Tests.Commands;

/// <summary>Where the settings of an image come from.</summary>
public sealed class ExplainImageTests(Peers peers)
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task EachSettingIsTracedToItsPlace()
    {
        using var workspace = await peers.WorkspaceAsync();
        workspace.Write(
            "Directory.Build.props",
            """
            <Project>
              <PropertyGroup>
                <ImageRegistry>ghcr.io</ImageRegistry>
                <ImageRepositoryPrefix>$(Company)acme</ImageRepositoryPrefix>
              </PropertyGroup>
              <ItemGroup>
                <ImageLabel Include="com.acme.team" Value="shop" />
              </ItemGroup>
            </Project>
            """
        );
        var project = workspace
            .Empty("Shop", "Microsoft.NET.Sdk.Web")
            .WithImagePublish()
            .Property("ImageTags", "{version} stable")
            .Property("ContainerUser", "app")
            .Property("ImageSigningKey", "-----BEGIN PRIVATE KEY-----secret")
            .Property("ImageSigningCertificate", "-----BEGIN PRIVATE KEY-----beside the certificate")
            .Property("ImageSigningPluginConfig", "pin=hunter2")
            .Property("ImageSignatureFormat", "NotationCose")
            .Item("ImageEnvironmentVariable", "PASSWORD", ("Value", "hunter2"))
            .Content("Program.cs", "WebApplication.Create(args).Run();");
        var command = project.Command("build", "-t:ExplainImage", "-p:ImageCompression=zstd", "-p:Version=2.3.4");
        command = command with
        {
            Environment = new Dictionary<string, string?>(command.Environment)
            {
                ["ImageLayering"] = "Single",
                ["SOURCE_DATE_EPOCH"] = "0",
            },
        };

        var output = (await project.RunAsync(command, Cancelled)).EnsureSuccess().Command;

        var rows = RowsOf(output);
        Assert.Equal(("ghcr.io", "ImageRegistry in ../Directory.Build.props, line 3"), Row(rows, "registry"));
        Assert.Equal(("acme/shop", "AssemblyName in the .NET SDK"), Row(rows, "repository", until: " ("));
        Assert.Equal(("acme", "ImageRepositoryPrefix in ../Directory.Build.props, line 4"), Row(rows, "repository prefix"));
        Assert.Equal(("2.3.4 stable", "ImageTags in Shop.csproj"), Row(rows, "tags", until: ", line"));
        Assert.Equal(("2.3.4", "Version of the command line"), Row(rows, "version"));
        Assert.Equal(("app", "ContainerUser in Shop.csproj"), Row(rows, "user", until: ", line"));
        Assert.Equal(("zstd", "ImageCompression of the command line"), Row(rows, "compression"));
        Assert.Equal(("Single", "ImageLayering of the environment"), Row(rows, "layering"));
        Assert.Equal(("1970-01-01T00:00:00Z", "SOURCE_DATE_EPOCH of the environment"), Row(rows, "created"));
        Assert.Equal(
            ("mcr.microsoft.com/dotnet/aspnet:10.0", "default, for an app of ASP.NET that uses the base's runtime"),
            Row(rows, "base")
        );
        Assert.Equal(("0:0", "default"), Row(rows, "file owner"));
        Assert.Equal(("com.acme.team", "ImageLabel in ../Directory.Build.props, line 7"), Row(rows, "label"));
        Assert.Equal(("PASSWORD", "ImageEnvironmentVariable in Shop.csproj"), Row(rows, "environment", until: ", line"));
        Assert.Equal("set", Row(rows, "signing key").Value);
        Assert.Equal(("set", "ImageSigningCertificate in Shop.csproj"), Row(rows, "signing certificate", until: ", line"));
        Assert.Equal("set", Row(rows, "signing plugin's configuration").Value);
        Assert.Equal(("NotationCose", "ImageSignatureFormat in Shop.csproj"), Row(rows, "signature format", until: ", line"));
        Assert.DoesNotContain("hunter2", output.All, StringComparison.Ordinal);
        Assert.DoesNotContain("PRIVATE KEY", output.All, StringComparison.Ordinal);

        var json = JsonNode.Parse(
            await File.ReadAllTextAsync(Path.Combine(project.Folder, "obj/Debug/net10.0/ImagePublish.ExplainImage.json"), Cancelled)
        )!;
        var registry = json["items"]!.AsArray().Single(item => (string?)item!["identity"] == "registry")!;
        Assert.Equal("ImageRegistry", (string?)registry["property"]);
        Assert.Equal(3, (int?)registry["line"]);
        Assert.Equal(workspace["Directory.Build.props"], (string?)registry["file"]);
    }

    [Theory]
    [InlineData("ExplainImage")]
    [InlineData("PublishImage")]
    public async Task ALibraryMakesNoImageAndSaysWhy(string target)
    {
        using var workspace = await peers.WorkspaceAsync();
        var library = workspace.Empty("Library").WithImagePublish();
        var explained = (await library.TargetAsync(target, Cancelled)).EnsureSuccess();

        Assert.Contains("No image is made of Library: OutputType is Library, not Exe.", explained.Command.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ImageTag", "", "warning IMG1020")]
    [InlineData("ImageTag", "-warnaserror", "error IMG1020")]
    [InlineData("ImageUsr", "", null)]
    public async Task APropertyThatNothingReadsIsReported(string name, string option, string? reported)
    {
        using var workspace = await peers.WorkspaceAsync();
        var project = workspace.Empty("Shop", "Microsoft.NET.Sdk.Web").WithImagePublish().Property("ImageUser", "$(ImageUsr)");
        string[] options = option.Length == 0 ? [$"-p:{name}=v1"] : [$"-p:{name}=v1", option];
        var explained = await project.TargetAsync("ExplainImage", Cancelled, options);

        var output = explained.Command.Output;
        Assert.Equal(reported is not null, output.Contains("IMG1020", StringComparison.Ordinal));
        Assert.Contains(
            reported is null ? "ImageUser in Shop.csproj" : $"{reported}: The command line sets {name}, ",
            output,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task ASwitchThatMakesNoImageIsReported()
    {
        const string Build = "PublishImage makes an image when a project is published, and this is a build.";
        using var workspace = await peers.WorkspaceAsync();
        var project = workspace.Empty("Shop").WithImagePublish().Property("OutputType", "Exe").Content("Program.cs", "return;");

        var published = (await project.PublishAsync(Cancelled, "-p:PublishImages=true")).EnsureSuccess().Command.Output;
        var built = (await project.TargetAsync("Build", Cancelled, "-p:PublishImage=true")).EnsureSuccess().Command.Output;
        var both = (
            await project.TargetAsync("Build;Publish", Cancelled, "-p:PublishImage=true", "-p:ImageBase=scratch", "-p:ImageDryRun=true")
        )
            .Command
            .Output;

        Assert.Contains("warning IMG1020: The command line sets PublishImages, ", published, StringComparison.Ordinal);
        Assert.Contains("Did you mean PublishImage?", published, StringComparison.Ordinal);
        Assert.Contains(Build, built, StringComparison.Ordinal);
        Assert.DoesNotContain(Build, both, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AFullNameIsTakenApart()
    {
        using var workspace = await peers.WorkspaceAsync();
        var project = workspace.Empty("Shop", "Microsoft.NET.Sdk.Web").WithImagePublish();
        var explained = await project.TargetAsync("ExplainImage", Cancelled, "-p:ImageName=ghcr.io/Acme/Shop:v2");

        var rows = RowsOf(explained.EnsureSuccess().Command);
        Assert.Equal(("ghcr.io", "ImageName of the command line"), Row(rows, "registry"));
        Assert.Equal(("acme/shop", "ImageName of the command line"), Row(rows, "repository"));
        Assert.Equal(("v2", "ImageName of the command line"), Row(rows, "tags"));
    }

    private static List<string[]> RowsOf(CommandOutput command) =>
        [.. command.Output.Split('\n').Select(line => Regex.Split(line.Trim(), " {2,}")).Where(row => row.Length == 3)];

    private static (string Value, string Source) Row(List<string[]> rows, string setting, string until = "\n")
    {
        var row = rows.Single(row => row[0] == setting);
        return (row[1], row[2].Split(until)[0]);
    }
}

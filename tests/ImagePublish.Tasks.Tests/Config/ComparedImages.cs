using System.Text.Json;
using ImagePublish.Tasks.Tests.Fixtures;

namespace ImagePublish.Tasks.Tests.Config;

/// <summary>One project with every setting, published by the SDK and by us; and a Dockerfile, built by Docker and said in our items.</summary>
public sealed class ComparedImages(Peers peers) : IAsyncLifetime
{
    private const string Difficult = """Server=tcp:db,1433;Password="a'b" %41 =x 🐳""";

    private const string Items =
        """
        <ItemGroup>
          <ContainerEnvironmentVariable Include="OWN" Value="1" Condition="'$(Kind)' == 'container'" />
          <ContainerEnvironmentVariable Include="DIFFICULT" Value="DIFFICULT_VALUE" Condition="'$(Kind)' == 'container'" />
          <ContainerEnvironmentVariable Include="ASPNETCORE_URLS" Value="http://+:5000%3Bhttps://*:5001" Condition="'$(Kind)' == 'container'" />
          <ContainerLabel Include="com.example.own" Value="1" Condition="'$(Kind)' == 'container'" />
          <ContainerLabel Include="com.example.difficult" Value="DIFFICULT_VALUE" Condition="'$(Kind)' == 'container'" />
          <ContainerLabel Include="com.example.empty" Value="" Condition="'$(Kind)' == 'container'" />
          <ContainerPort Include="9000" Type="udp" Condition="'$(Kind)' == 'container'" />
          <ContainerPort Include="9001" Type="tcp" Condition="'$(Kind)' == 'container'" />
          <ContainerPort Include="9002" Condition="'$(Kind)' == 'container'" />
          <ContainerEntrypoint Include="/usr/bin/env" Condition="'$(Kind)' == 'container'" />
          <ContainerEntrypointArgs Include="A=b c" Condition="'$(Kind)' == 'container'" />
          <ContainerAppCommandArgs Include="--always" Condition="'$(Kind)' == 'container'" />
          <ContainerDefaultArgs Include="serve;now" Condition="'$(Kind)' == 'container'" />

          <ImageEnvironmentVariable Include="A" Value="DIFFICULT_VALUE" Condition="'$(Kind)' == 'dockerfile'" />
          <ImageEnvironmentVariable Include="EMPTY" Value="" Condition="'$(Kind)' == 'dockerfile'" />
          <ImageEnvironmentVariable Include="ASPNETCORE_HTTP_PORTS" Value="" Condition="'$(Kind)' == 'dockerfile'" />
          <ImageLabel Include="com.example.own" Value="x y" Condition="'$(Kind)' == 'dockerfile'" />
          <ImageLabel Include="com.example.base" Value="changed" Condition="'$(Kind)' == 'dockerfile'" />
          <ImagePort Include="81;8443/tcp" Condition="'$(Kind)' == 'dockerfile'" />
          <ImagePort Include="53" Protocol="udp" Condition="'$(Kind)' == 'dockerfile'" />
          <ImageVolume Include="/data;/var/log" Condition="'$(Kind)' == 'dockerfile'" />
          <ImageEntrypoint Include="/bin/sh;-c" Condition="'$(Kind)' == 'dockerfile'" />
          <ImageCommand Include="echo &quot;hi&quot;" Condition="'$(Kind)' == 'dockerfile'" />
          <ImageHealthcheck Include="test -e /tmp &amp;&amp; true" Interval="30s" Timeout="1m" StartPeriod="5s" Retries="4" Condition="'$(Kind)' == 'dockerfile'" />
        </ItemGroup>
        """;

    private const string Dockerfile =
        """
        ENV A="DIFFICULT_VALUE"
        ENV EMPTY=""
        ENV ASPNETCORE_HTTP_PORTS=""
        LABEL com.example.own="x y" com.example.base=changed
        EXPOSE 81 8443/tcp 53/udp
        VOLUME ["/data", "/var/log"]
        USER nobody:nogroup
        WORKDIR /srv/app/
        STOPSIGNAL SIGQUIT
        HEALTHCHECK --interval=30s --timeout=1m --start-period=5s --retries=4 CMD test -e /tmp && true
        ENTRYPOINT ["/bin/sh", "-c"]
        CMD ["echo \"hi\""]
        """;

    public JsonElement Sdk { get; private set; }

    public JsonElement Ours { get; private set; }

    public JsonElement Docker { get; private set; }

    public JsonElement OursAsDockerfile { get; private set; }

    public async ValueTask InitializeAsync()
    {
        var registry = await peers.RegistryAsync();
        using var workspace = await peers.WorkspaceAsync();
        var project = await ProjectAsync(workspace, registry);
        (await project.PublishAsync(CancellationToken.None, "-p:PublishImage=true", "-p:Kind=container", "-p:ContainerRepository=compared/ours")).EnsureSuccess();
        Ours = await ConfigAsync(registry, "compared/ours:7.8");
        (await project.TargetAsync("PublishContainer", CancellationToken.None, "-c", "Release", "--no-restore", "-p:NoBuild=true", "-p:Kind=container", "-p:ContainerRepository=compared/sdk")).EnsureSuccess();
        Sdk = await ConfigAsync(registry, "compared/sdk:7.8");
        (await project.TargetAsync(
            "PublishImage", CancellationToken.None, "-c", "Release", "--no-restore", "-p:NoBuild=true", "-p:Kind=dockerfile", "-p:ImageName=" + registry.Host + "/compared/dockerfile:1",
            "-p:ImageUser=nobody:nogroup", "-p:ImageWorkingDirectory=/srv/app/", "-p:ImageStopSignal=SIGQUIT", "-p:ImageGenerateLabels=false")).EnsureSuccess();
        OursAsDockerfile = await ConfigAsync(registry, "compared/dockerfile:1");
        Docker = await DockerBuildAsync(workspace, $"{registry.Host}/dotnet/aspnet:10.0");
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private static async Task<TestProject> ProjectAsync(TestWorkspace workspace, DockerRegistry registry) =>
        (await workspace.NewAsync("web", "Compared", CancellationToken.None)).WithImagePublish()
            .Property("ContainerRegistry", registry.Host)
            .Property("ContainerBaseImage", $"{registry.Host}/dotnet/aspnet:10.0")
            .Property("ContainerImageTags", "7.8;other")
            .Property("ContainerUser", "app")
            .Property("ContainerWorkingDirectory", "/srv/app/")
            .Property("Version", "7.8.9")
            .Property("Description", "Described; with = and \"quotes\"")
            .Property("ContainerAuthors", "The authors")
            .Property("PackageProjectUrl", "https://example.com/project")
            .Property("ContainerDocumentationUrl", "https://example.com/docs")
            .Property("ContainerVendor", "The vendor")
            .Property("PackageLicenseExpression", "MIT")
            .Property("Title", "The title")
            .Element(Items.Replace("DIFFICULT_VALUE", Escaped(Difficult), StringComparison.Ordinal));

    private async Task<JsonElement> DockerBuildAsync(TestWorkspace workspace, string from)
    {
        var docker = await peers.DockerAsync();
        var text = Dockerfile.Replace("DIFFICULT_VALUE", Difficult.Replace("\"", "\\\"", StringComparison.Ordinal), StringComparison.Ordinal);
        var file = workspace.Write("context/Dockerfile", $"FROM {from}\n{text}\n");
        var build = docker.Command("build", "--tag", "compared", Path.GetDirectoryName(file)!);
        await (build with { Environment = new Dictionary<string, string?>(build.Environment) { ["DOCKER_BUILDKIT"] = "0" } }).SucceedAsync(CancellationToken.None);
        return (await docker.InspectAsync("compared", CancellationToken.None)).GetProperty("Config");
    }

    private static async Task<JsonElement> ConfigAsync(DockerRegistry registry, string image)
    {
        var output = await new CommandLine("skopeo", ["inspect", "--config", "--raw", "--tls-verify=false", $"docker://{registry.Host}/{image}"]).SucceedAsync(CancellationToken.None);
        using var json = JsonDocument.Parse(output.Output);
        return json.RootElement.GetProperty("config").Clone();
    }

    // Once for MSBuild, once for XML.
    private static string Escaped(string value) => System.Security.SecurityElement.Escape(
        value.Replace("%", "%25", StringComparison.Ordinal).Replace(";", "%3B", StringComparison.Ordinal).Replace("$", "%24", StringComparison.Ordinal));
}

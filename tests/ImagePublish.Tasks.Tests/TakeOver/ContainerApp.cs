using System.Text.Json;
using ImagePublish.Tasks.Tests.Support;

namespace ImagePublish.Tasks.Tests.TakeOver;

/// <summary>One app twice: with the package, and as the .NET SDK alone publishes it. Callers' commands run on both.</summary>
public sealed class ContainerApp(Peers peers) : IAsyncLifetime
{
    public const string AssemblyName = "Shop.Worker";

    private static readonly string[] Fields = ["Entrypoint", "Cmd", "Env", "ExposedPorts"];

    // What projects do to an image in targets of their own; nothing unless it is asked for.
    private const string Hooks = """
        <Project>
          <ItemGroup><ContainerPort Include="$(Ports)" Condition="'$(Ports)' != ''" /></ItemGroup>
          <Target Name="BeforeConfig" BeforeTargets="ComputeContainerConfig" Condition="'$(Hooks)' == 'true'">
            <ItemGroup><ContainerLabel Include="com.example.before" Value="1" /></ItemGroup>
          </Target>
          <Target Name="AfterConfig" AfterTargets="ComputeContainerConfig" Condition="'$(Hooks)' == 'true'">
            <ItemGroup><ContainerLabel Include="com.example.after" Value="1" /><ContainerImageTags Include="added" /></ItemGroup>
          </Target>
          <Target Name="BeforeContainer" BeforeTargets="PublishContainer" Condition="'$(Hooks)' == 'true'">
            <ItemGroup><ContainerEnvironmentVariable Include="LATE" Value="yes" /></ItemGroup>
          </Target>
        </Project>
        """;

    private TestWorkspace? workspace;

    public DockerRegistry Registry { get; private set; } = null!;

    public TestWorkspace Workspace => workspace!;

    /// <summary>The project with the package.</summary>
    public TestProject Ours { get; private set; } = null!;

    /// <summary>The same project without it.</summary>
    public TestProject Sdk { get; private set; } = null!;

    public string PackageVersion { get; private set; } = "";

    public async ValueTask InitializeAsync()
    {
        Registry = await peers.RegistryAsync();
        workspace = await peers.WorkspaceAsync();
        var from = await SmallBase.PushToAsync(Registry, "take-over/base:1", CancellationToken.None);
        var package = await peers.PackageAsync();
        PackageVersion = package.Version;
        Ours = Create("ours", from, package)
            .WithImagePublish()
            .Element($"""<Import Project="{workspace.Write("hooks.targets", Hooks)}" />""");
        Sdk = Create("sdk", from, package);
    }

    public ValueTask DisposeAsync()
    {
        workspace?.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>Runs a caller's command as it is, but for the project's path.</summary>
    public CommandLine Command(TestProject project, params IEnumerable<string> arguments) =>
        Workspace.DotNet([.. arguments.Select(argument => argument.Replace("{project}", project.File, StringComparison.Ordinal))]);

    public Task<CommandOutput> RunAsync(TestProject project, params IEnumerable<string> arguments) =>
        project.RunPlainAsync(Command(project, arguments), TestContext.Current.CancellationToken);

    /// <summary>The manifests that were put under a tag.</summary>
    public static int PutsOf(DockerRegistry registry, string repository, string tag) =>
        registry.Requests.Count(request =>
            request.Method == "PUT" && request.Path == $"/v2/{repository}/manifests/{tag}" && request.Status == 201
        );

    /// <summary>A <c>config</c> object as callers see it: how the app is started, its variables and ports.</summary>
    public static string Settings(JsonElement config) => string.Join('\n', Fields.Select(field => $"{field}: {Shown(config, field)}"));

    // A worker, as azd's samples have: the SDK gives it the base's port, and azd wants one.
    private TestProject Create(string folder, string from, PackedPackage package)
    {
        var name = Path.Combine(folder, AssemblyName);
        Workspace.Write($"{name}/{AssemblyName}.csproj", """<Project Sdk="Microsoft.NET.Sdk.Worker" />""");
        Workspace.Write($"{name}/Program.cs", "return;");
        return new TestProject(Workspace, package, Workspace[$"{name}/{AssemblyName}.csproj"])
            .Property("TargetFramework", "net10.0")
            .Property("UseAppHost", "false")
            .Property("ContainerBaseImage", from)
            .Item("ContainerEnvironmentVariable", "Mode", ("Value", "two words"));
    }

    private static string Shown(JsonElement config, string field)
    {
        if (!config.TryGetProperty(field, out var value) || value.ValueKind == JsonValueKind.Null)
            return "";
        var members =
            value.ValueKind == JsonValueKind.Object
                ? value.EnumerateObject().Select(member => member.Name)
                : value.EnumerateArray().Select(item => item.GetString()!);
        return string.Join(' ', field == "Entrypoint" ? members : members.Order(StringComparer.Ordinal));
    }
}

using ImagePublish.Tasks.Tests.Config;
using ImagePublish.Tasks.Tests.Support;

namespace ImagePublish.Tasks.Tests.EndToEnd;

/// <summary>An app for two platforms with difficult values and files of every kind, published once into one index.</summary>
public sealed class PlatformsApp(Peers peers) : IAsyncLifetime
{
    public const string Repository = "platforms/app";

    private TestWorkspace? workspace;

    public DockerRegistry Registry { get; private set; } = null!;

    public TestProject Project { get; private set; } = null!;

    public BuildOutput Published { get; private set; } = null!;

    public string Reference => $"{Registry.Host}/{Repository}:1.0.0";

    public async ValueTask InitializeAsync()
    {
        Registry = await peers.RegistryAsync();
        workspace = await peers.WorkspaceAsync();
        Project = workspace
            .Empty("Two")
            .WithImagePublish()
            .Property("OutputType", "Exe")
            .Content("Program.cs", "return;")
            .Property("ImageRegistry", Registry.Host)
            .Property("ImageRepository", Repository)
            .Property("ImageBase", await SmallBase.PushToAsync(Registry, "platforms/base:1", CancellationToken.None))
            .Property("ImageRuntimeIdentifiers", "linux-x64 linux-arm64")
            .Property("ImageFileOwner", "app:staff")
            .Content("certs/a.pem", "a")
            .Content("certs/deep/b.pem", "b")
            .Content("certs/private/c.pem", "c")
            .Content("model.bin", "m")
            .Content("run.sh", "#!/bin/sh\n")
            .Element(
                $"""
                <ItemGroup>
                  <ImageEnvironmentVariable Include="DIFFICULT" Value="{Escaped.ForProject(Escaped.Difficult)}" />
                  <ImageEnvironmentVariable Include="ONLY_ON" Value="$(ImageRuntimeIdentifiers)" />
                  <ImageEnvironmentVariable Include="ARM" Value="yes" Condition="'$(ImageRuntimeIdentifiers)' == 'linux-arm64'" />
                  <ImageEnvironmentVariable Include="PLATFORM" Value="$(ImageRuntimeIdentifier)" />
                  <ImageEnvironmentVariable Include="SDK_ARM" Value="yes" Condition="'$(ContainerRuntimeIdentifier)' == 'linux-arm64'" />
                  <ImageEnvironmentVariable Include="NEVER" Value="yes" Condition="'$(RuntimeIdentifier)' == 'linux-arm64'" />
                  <ImageLabel Include="com.example.difficult" Value="{Escaped.ForProject(Escaped.Difficult)}" />
                  <ImageAnnotation Include="com.example.difficult" Value="{Escaped.ForProject(Escaped.Difficult)}" Scope="index" />
                  <ImageFile Include="certs/**/*.pem" Exclude="certs/private/**" TargetPath="/etc/certs/" Mode="0640" Owner="root:staff" />
                  <ImageFile Include="model.bin" TargetPath="/data/models/m.bin" Layer="model" />
                  <ImageFile Include="model.bin" TargetPath="/lib/m.bin" Owner="12:34" />
                  <ImageFile Include="run.sh" />
                  <ImageDirectory Include="/srv/own" Owner="app" Mode="2770" />
                  <ImageDirectory Include="/srv/shared" />
                  <ImageSymlink Include="/etc/zone" LinkTarget="/usr/lib/other" />
                  <ImageSymlink Include="bin/run" LinkTarget="../run.sh" />
                </ItemGroup>
                """
            );
        Published = (await Project.PublishAsync(CancellationToken.None, "-p:PublishImage=true")).EnsureSuccess();
    }

    public ValueTask DisposeAsync()
    {
        workspace?.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>The digest of the image for a platform.</summary>
    public async Task<string> DigestAsync(string architecture, CancellationToken cancellationToken) =>
        (await Registry.ManifestAsync(Repository, "1.0.0", cancellationToken))
            .Json.GetProperty("manifests")
            .EnumerateArray()
            .Single(manifest => manifest.GetProperty("platform").GetProperty("architecture").GetString() == architecture)
            .GetProperty("digest")
            .GetString()!;

    /// <summary>The image for a platform.</summary>
    public async Task<ServedManifest> ImageAsync(string architecture, CancellationToken cancellationToken) =>
        await Registry.ManifestAsync(Repository, await DigestAsync(architecture, cancellationToken), cancellationToken);

    /// <summary>What an image's history calls its layers.</summary>
    public async Task<IReadOnlyList<string>> LayerNamesAsync(string architecture, CancellationToken cancellationToken)
    {
        var config = await Registry.ConfigAsync(Repository, await DigestAsync(architecture, cancellationToken), cancellationToken);
        return [.. config.GetProperty("history").EnumerateArray().Select(entry => entry.GetProperty("created_by").GetString()!)];
    }
}

using ImagePublish.Tasks.Tests.Support;

namespace ImagePublish.Tasks.Tests.EndToEnd;

/// <summary>What a user types after <c>dotnet publish</c>.</summary>
public static class Switches
{
    /// <summary>For an image of a test's own repository, on one of the bases in the same registry.</summary>
    public static string[] For(DockerRegistry registry, string repository, string baseName = "runtime") =>
        [.. Destination(registry, repository), $"-p:ImageBase={registry.Host}/dotnet/{baseName}:10.0"];

    public static string[] Destination(DockerRegistry registry, string repository) =>
        ["-p:PublishImage=true", $"-p:ImageRegistry={registry.Host}", $"-p:ImageRepository={repository}"];
}

using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace ImagePublish.Tasks.Tests.Support;

/// <summary>
/// A real base image in the likeness of Microsoft's: an operating system, a user, .NET and ASP.NET, each a layer. Made once per machine,
/// kept as an OCI layout in the temporary folder, and copied into a registry by skopeo.
/// </summary>
public sealed class BaseImage
{
    // Counts up when the recipe changes in a way that its other inputs don't show.
    private const string Recipe = "1";

    private static readonly string[] Repositories = ["runtime-deps", "runtime", "aspnet"];

    private readonly string layout;

    private BaseImage(string layout) => this.layout = layout;

    /// <summary>A top-level field of the config that no specification knows.</summary>
    public const string UnknownConfigField = "com.example.builder.v0";

    /// <summary>The base from this machine's cache, made first if need be. Two processes at once wait for each other.</summary>
    public static async Task<BaseImage> GetAsync(CancellationToken cancellationToken)
    {
        var dotnet = DotNetInstallation.Find();
        var root = Directory
            .CreateDirectory(
                Path.Combine(Path.GetTempPath(), $"imagepublish-tests-{Environment.UserName}"),
                UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
            )
            .FullName;
        var target = Path.Combine(root, $"base-{Key(dotnet)}");
        await using var held = await LockAsync(Path.Combine(root, "base.lock"), cancellationToken);
        if (!Directory.Exists(target))
        {
            var unfinished = Path.Combine(root, "base.unfinished");
            if (Directory.Exists(unfinished))
                Directory.Delete(unfinished, recursive: true);
            await BuildAsync(unfinished, dotnet, cancellationToken);
            Directory.Move(unfinished, target);
        }

        return new BaseImage(target);
    }

    /// <summary>
    /// Copies it into a registry: <c>dotnet/runtime-deps</c>, <c>dotnet/runtime</c> and <c>dotnet/aspnet</c>, each with the tags
    /// <c>10.0</c> (an OCI index of linux/amd64 and linux/arm64, the second not runnable) and <c>10.0-docker</c> (a single manifest of
    /// Docker's media types).
    /// </summary>
    public async Task PushToAsync(DockerRegistry registry, CancellationToken cancellationToken)
    {
        foreach (var repository in Repositories)
        {
            var target = $"docker://{registry.Host}/dotnet/{repository}";
            string[] copy = ["--insecure-policy", "copy", "--quiet", "--dest-tls-verify=false"];
            await Skopeo([.. copy, "--all", "--preserve-digests", $"oci:{layout}:{repository}", $"{target}:10.0"])
                .SucceedAsync(cancellationToken);
            await Skopeo([.. copy, "--format=v2s2", $"oci:{layout}:{repository}-native", $"{target}:10.0-docker"])
                .SucceedAsync(cancellationToken);
        }
    }

    private static CommandLine Skopeo(IReadOnlyList<string> arguments) => new("skopeo", arguments);

    private static async Task BuildAsync(string folder, DotNetInstallation dotnet, CancellationToken cancellationToken)
    {
        var writer = new LayoutWriter(folder);
        var layers = new BaseImageLayers(writer, dotnet);
        var stack = new List<LayoutLayer>
        {
            await layers.OperatingSystemAsync(folder, cancellationToken),
            await layers.UserAsync(cancellationToken),
        };
        AddImages(writer, "runtime-deps", stack, dotnet);
        stack.Add(await layers.RuntimeAsync(cancellationToken));
        AddImages(writer, "runtime", stack, dotnet);
        stack.Add(await layers.AspNetAsync(cancellationToken));
        AddImages(writer, "aspnet", stack, dotnet);
        writer.Complete();
    }

    private static void AddImages(LayoutWriter writer, string name, IReadOnlyList<LayoutLayer> layers, DotNetInstallation dotnet)
    {
        var manifests = new List<JsonObject>();
        foreach (var (architecture, variant) in new[] { ("amd64", null), ("arm64", "v8") })
        {
            var platform = new JsonObject { ["architecture"] = architecture, ["os"] = "linux" };
            if (variant is not null)
                platform["variant"] = variant;
            var manifest = writer.AddImage(BaseImageConfig.Create(platform, layers.Count, dotnet), layers);
            if (architecture == NativeArchitecture)
                writer.Tag($"{name}-native", manifest);
            manifest["platform"] = platform.DeepClone();
            manifests.Add(manifest);
        }

        writer.Tag(name, writer.AddIndex(manifests));
    }

    private static string NativeArchitecture => RuntimeInformation.OSArchitecture == Architecture.Arm64 ? "arm64" : "amd64";

    private static string Key(DotNetInstallation dotnet)
    {
        var inputs = $"{Recipe}|{BaseImageLayers.Recipe}|{OperatingSystemRelease.Read()}|{NativeArchitecture}|{dotnet}";
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(inputs)))[..16];
    }

    private static async Task<FileStream> LockAsync(string path, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException)
            {
                await Task.Delay(200, cancellationToken);
            }
        }
    }
}

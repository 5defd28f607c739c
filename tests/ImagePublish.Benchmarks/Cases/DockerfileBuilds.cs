using System.Globalization;
using System.Text.Json;
using ImagePublish.Benchmarks.Measuring;
using ImagePublish.Tasks.Tests.Support;

namespace ImagePublish.Benchmarks.Cases;

/// <summary>
/// The same app by what people would pick instead: the usual Dockerfile of several stages, built by BuildKit and by Buildah with warm
/// caches, and pushed. Whole commands, the compiler too: a Dockerfile compiles in its own way.
/// </summary>
internal sealed class DockerfileBuilds : IAsyncDisposable
{
    private const string Docker = "/usr/bin/docker";

    // The first stage is restored before the sources come, as all advice has it, so that only the last two steps run again.
    private const string Dockerfile = """
        FROM REGISTRY/dotnet/sdk:10.0 AS build
        WORKDIR /src
        COPY Shop/Shop.csproj Shop/
        COPY Shop.Catalog/Shop.Catalog.csproj Shop.Catalog/
        RUN dotnet restore Shop/Shop.csproj
        COPY . .
        RUN dotnet publish Shop/Shop.csproj -c Release -o /app/publish --no-restore

        FROM REGISTRY/dotnet/aspnet:10.0-docker
        WORKDIR /app
        COPY --from=build /app/publish .
        ENTRYPOINT ["dotnet", "Shop.dll"]
        """;

    private static readonly PublishCase[] Cases =
    [
        new("unchanged", "nothing changed", 1),
        new("line", "one line of C# changed", 1) { EditsCode = true },
        new("first", "first push, one line changed since the last build", 1) { EditsCode = true, UsesNewRepository = true },
    ];

    private readonly Laboratory laboratory;
    private readonly DockerEngine engine;
    private readonly PlainPublish sources;
    private int edition = 1_000;
    private int repositories;

    private DockerfileBuilds(Laboratory laboratory, DockerEngine engine)
    {
        (this.laboratory, this.engine) = (laboratory, engine);
        sources = new PlainPublish(laboratory["dockerfile"]);
        Sources.WriteShop(sources);
        Write("Dockerfile", Dockerfile.Replace("REGISTRY", laboratory.Registry.Host, StringComparison.Ordinal));
        Write(".dockerignore", "**/bin\n**/obj\n");
    }

    public static async Task<string> RunAsync(Laboratory laboratory, int rounds, CancellationToken cancellationToken)
    {
        await using var builds = new DockerfileBuilds(laboratory, await DockerEngine.StartWithAsync("overlay2", cancellationToken));
        await builds.AddSdkImageAsync(cancellationToken);
        var lines = new List<string>
        {
            "| Case | `dotnet publish` alone (s) | ours (s) | the SDK's (s) | `docker build` and `push` (s) | Buildah (s) | bytes, ours / the SDK's / Docker's / Buildah's |",
            "|---|---:|---:|---:|---:|---:|---|",
        };
        foreach (var one in Cases)
            lines.Add(await builds.RunAsync(one, rounds, cancellationToken));
        return string.Join('\n', lines);
    }

    public async ValueTask DisposeAsync()
    {
        await CommandLine.AsRoot("podman", "--root", laboratory["podman"], "system", "reset", "--force").RunAsync(CancellationToken.None);
        await engine.DisposeAsync();
    }

    private async Task<string> RunAsync(PublishCase @case, int rounds, CancellationToken cancellationToken)
    {
        var contenders = laboratory.Contenders(isSolution: false);
        List<(string Name, Contender Sources, Func<Target, CommandLine> Command)> ways =
        [
            .. contenders.Select(contender =>
                (contender.Name, contender, (Func<Target, CommandLine>)(target => contender.Publish(Sources.ShopProject, target)))
            ),
            ("docker", sources, BuildKit),
            ("buildah", sources, Buildah),
        ];
        var runs = ways.ToDictionary(way => way.Name, _ => new Runs());
        foreach (var way in ways)
            await way.Command(TargetOf(way.Name, "steady")).SucceedAsync(cancellationToken);
        for (var round = 0; round < rounds; round++)
        {
            edition++;
            repositories++;
            for (var turn = 0; turn < ways.Count; turn++)
            {
                var way = ways[(round + turn) % ways.Count];
                if (@case.EditsCode)
                    Sources.EditCode(way.Sources, edition);
                if (@case.UsesNewRepository)
                    way.Sources.ClearCaches();
                await laboratory.Registry.ResetAsync(cancellationToken);
                var target = TargetOf(way.Name, @case.UsesNewRepository ? $"new{repositories}" : "steady");
                var run = await laboratory.Registry.CountAsync(
                    await MeteredCommand.RunAsync(way.Command(target), cancellationToken),
                    cancellationToken
                );
                runs[way.Name].Add(run);
                Laboratory.Tell($"{@case.Key, -10} {way.Name, -8} {run.Seconds, 7:0.00} s {run.SentBytes, 12:N0} bytes");
            }
        }

        var seconds = ways.Select(way => runs[way.Name])
            .Select(run => string.Create(CultureInfo.InvariantCulture, $"{run.Seconds:0.0} ({run.Fastest:0.0} to {run.Slowest:0.0})"));
        var bytes = ways.Skip(1).Select(way => string.Create(CultureInfo.InvariantCulture, $"{runs[way.Name].SentBytes / 1e6:0.0} MB"));
        return $"| {@case.Title} | {string.Join(" | ", seconds)} | {string.Join(" / ", bytes)} |";
    }

    private Target TargetOf(string name, string repository) =>
        new(laboratory.Registry.Host, $"{name}/{repository}", $"{laboratory.Registry.Host}/dotnet/aspnet:10.0");

    private CommandLine BuildKit(Target target) =>
        Shell($"{Docker} build --quiet --network=host", $"{Docker} push --quiet", target) with
        {
            Environment = new Dictionary<string, string?>(engine.Command("version").Environment) { ["DOCKER_BUILDKIT"] = "1" },
        };

    private CommandLine Buildah(Target target)
    {
        var podman = $"podman --root {laboratory["podman"]} --runroot {laboratory["podman-run"]} --storage-driver overlay";
        return Shell(
            $"{podman} build --quiet --layers --isolation=chroot --network=host --tls-verify=false",
            $"{podman} push --quiet --tls-verify=false",
            target
        );
    }

    private CommandLine Shell(string build, string push, Target target)
    {
        var names = Contender.Tags.Select(tag => $"{target.Registry}/{target.Repository}:{tag}").ToList();
        return new CommandLine(
            "sh",
            [
                "-c",
                $"{build} {string.Concat(names.Select(name => $"--tag {name} "))}. && {string.Join(" && ", names.Select(name => $"{push} {name}"))}",
            ]
        )
        {
            WorkingDirectory = sources.Sources,
        };
    }

    // The .NET SDK of this machine on the base image, with the packages of the app: feeds of this machine are not reached from a build.
    private async Task AddSdkImageAsync(CancellationToken cancellationToken)
    {
        var project = Path.Combine(sources.Sources, Sources.ShopProject);
        await sources.DotNet("restore", project).SucceedAsync(cancellationToken);
        var context = Directory.CreateDirectory(laboratory["sdk"]).FullName;
        await CopyAsync(DotNetInstallation.Find().Folder, Path.Combine(context, "dotnet"), cancellationToken);
        var assets = Directory.GetFiles(sources.Sources, "project.assets.json", SearchOption.AllDirectories);
        foreach (var package in assets.SelectMany(PackagesOf).Distinct(StringComparer.Ordinal))
            await CopyAsync(
                Path.Combine(PackedPackage.GlobalPackages, package),
                Path.Combine(context, "packages", package),
                cancellationToken
            );
        await File.WriteAllTextAsync(
            Path.Combine(context, "NuGet.Config"),
            "<configuration><packageSources><clear /></packageSources></configuration>",
            cancellationToken
        );
        await File.WriteAllTextAsync(
            Path.Combine(context, "Dockerfile"),
            $"""
            FROM {laboratory.Registry.Host}/dotnet/aspnet:10.0-docker
            ENV DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
            COPY dotnet /usr/share/dotnet
            COPY packages /root/.nuget/packages
            COPY NuGet.Config /root/.nuget/NuGet/NuGet.Config
            """,
            cancellationToken
        );
        var name = $"{laboratory.Registry.Host}/dotnet/sdk:10.0";
        await engine.Command("build", "--quiet", "--network=host", "--tag", name, context).SucceedAsync(cancellationToken);
        await engine.Command("push", "--quiet", name).SucceedAsync(cancellationToken);
        Directory.Delete(context, recursive: true);
    }

    private static IEnumerable<string> PackagesOf(string assetsFile)
    {
        using var assets = JsonDocument.Parse(File.ReadAllBytes(assetsFile));
        return
        [
            .. assets
                .RootElement.GetProperty("libraries")
                .EnumerateObject()
                .Where(library => library.Value.GetProperty("type").GetString() == "package")
                .Select(library => library.Value.GetProperty("path").GetString()!),
        ];
    }

    private static async Task CopyAsync(string from, string to, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(to)!);
        await new CommandLine("cp", "-r", from, to).SucceedAsync(cancellationToken);
    }

    private void Write(string name, string content) => File.WriteAllText(Path.Combine(sources.Sources, name), content);
}

using ImagePublish.Tasks.Tests.Support;

namespace ImagePublish.Benchmarks.Cases;

/// <summary>What is published: a copy of <c>samples/Shop</c>, or a solution of small services that use some of its packages.</summary>
internal static class Sources
{
    public const string ShopProject = "Shop/Shop.csproj";

    public const string Solution = "Services.slnx";

    private const int Services = 20;

    private const string UpdatedPackage = "StackExchange.Redis";

    // Upwards only: the SDK leaves the published file of a newer version where it is. Each once: what was pushed before would be found in
    // the registry.
    private static readonly string[] Versions =
    [
        "3.1.31",
        "3.2.0",
        "3.2.1",
        "3.2.15",
        "3.3.0",
        "3.3.1",
        "3.4.5",
        "3.4.20",
        "3.4.29",
        "3.4.31",
        "3.4.35",
    ];

    /// <summary>Copies the sample and lets the contender add what it needs.</summary>
    public static void WriteShop(Contender contender)
    {
        SourceTree.Copy(Path.Combine(RepositoryRoot.Path, "samples", "Shop"), contender.Sources);
        EditCode(contender, 0);
        contender.Adapt([ShopProject, "Shop.Catalog/Shop.Catalog.csproj"]);
    }

    /// <summary>Writes a web app of one line and a few small files.</summary>
    public static void WriteSmallApp(Contender contender) => SizedApp.Write(contender, 1_000_000, 10);

    /// <summary>Where a contender's app is published.</summary>
    public static string PublishFolderOf(Contender contender) =>
        Path.Combine(contender.Sources, "Shop", "bin", "Release", "net10.0", "publish");

    /// <summary>Publishes the sample and leaves out what only other systems can load, as an image does.</summary>
    /// <returns>The folder with the files.</returns>
    public static async Task<string> FilesOfShopAsync(Laboratory laboratory, CancellationToken cancellationToken)
    {
        var copy = laboratory["files"];
        if (Directory.Exists(copy))
            return copy;
        var plain = laboratory.Create("plain", WriteShop)[0];
        await plain.Publish(ShopProject, new Target("", "", "")).SucceedAsync(cancellationToken);
        SourceTree.Copy(PublishFolderOf(plain), copy);
        foreach (var other in Directory.GetDirectories(Path.Combine(copy, "runtimes")))
        {
            if (Path.GetFileName(other) is not ("linux-x64" or "linux" or "unix"))
                Directory.Delete(other, recursive: true);
        }

        return copy;
    }

    /// <summary>Changes one line of C#.</summary>
    public static void EditCode(Contender contender, int round) =>
        File.WriteAllText(
            Path.Combine(contender.Sources, "Shop", "Edition.cs"),
            $"internal static class Edition {{ public static int Number => {round}; }}\n"
        );

    /// <summary>Changes one line of C#, and compiles: the compiler's time is no publisher's, and it varies more than what is
    /// measured.</summary>
    public static Task BuildEditedAsync(Contender contender, int round, CancellationToken cancellationToken)
    {
        EditCode(contender, round);
        return contender.DotNet("build", Path.Combine(contender.Sources, ShopProject), "-c", "Release").SucceedAsync(cancellationToken);
    }

    /// <summary>Goes back to the oldest version of the package that is updated, and leaves nothing of a newer one.</summary>
    public static async Task PrepareUpdatesAsync(Contender contender, CancellationToken cancellationToken)
    {
        await SetVersionAsync(contender, Versions[0], cancellationToken);
        var output = Path.Combine(contender.Sources, "Shop", "bin");
        if (Directory.Exists(output))
            Directory.Delete(output, recursive: true);
    }

    /// <summary>Updates one package, which is restored already when the clock starts.</summary>
    public static Task UpdatePackageAsync(Contender contender, int round, CancellationToken cancellationToken) =>
        round + 1 < Versions.Length
            ? SetVersionAsync(contender, Versions[round + 1], cancellationToken)
            : throw new InvalidOperationException($"The package can be updated {Versions.Length - 1} times: take no more --runs.");

    private static async Task SetVersionAsync(Contender contender, string version, CancellationToken cancellationToken)
    {
        var file = Path.Combine(contender.Sources, ShopProject);
        var start = $"<PackageReference Include=\"{UpdatedPackage}\" Version=\"";
        var text = await File.ReadAllTextAsync(file, cancellationToken);
        var begin = text.IndexOf(start, StringComparison.Ordinal) + start.Length;
        var end = text.IndexOf('"', begin);
        await File.WriteAllTextAsync(file, $"{text[..begin]}{version}{text[end..]}", cancellationToken);
        await contender.DotNet("restore", file).SucceedAsync(cancellationToken);
    }

    /// <summary>Commits what is there, which is nothing new but for the first time.</summary>
    public static async Task CommitAsync(Contender contender, CancellationToken cancellationToken)
    {
        if (!Directory.Exists(Path.Combine(contender.Sources, ".git")))
        {
            await File.WriteAllTextAsync(Path.Combine(contender.Sources, ".gitignore"), "bin/\nobj/\n", cancellationToken);
            await GitAsync("init", "-q");
            await GitAsync("remote", "add", "origin", "https://github.com/acme/services.git");
        }

        await GitAsync("add", "-A");
        await GitAsync("-c", "user.name=Ann", "-c", "user.email=ann@example.com", "commit", "-q", "--allow-empty", "-m", "Commit");

        Task GitAsync(params string[] arguments) =>
            new CommandLine("git", arguments) { WorkingDirectory = contender.Sources }.SucceedAsync(cancellationToken);
    }

    /// <summary>Writes the solution of services. Each has a line of its own, and the same packages as the others.</summary>
    public static void WriteServices(Contender contender)
    {
        var projects = Enumerable.Range(1, Services).Select(number => $"Service{number:00}").ToList();
        foreach (var name in projects)
        {
            var folder = Directory.CreateDirectory(Path.Combine(contender.Sources, name)).FullName;
            File.WriteAllText(Path.Combine(folder, $"{name}.csproj"), ServiceProject);
            File.WriteAllText(
                Path.Combine(folder, "Program.cs"),
                $"var app = WebApplication.Create(args);\napp.MapGet(\"/\", () => \"{name}\");\napp.Run();\n"
            );
        }

        var lines = projects.Select(name => $"  <Project Path=\"{name}/{name}.csproj\" />");
        File.WriteAllText(Path.Combine(contender.Sources, Solution), $"<Solution>\n{string.Join('\n', lines)}\n</Solution>\n");
        // A solution has one command line for all: each project makes its own repository of it.
        File.WriteAllText(
            Path.Combine(contender.Sources, "Directory.Build.targets"),
            """
            <Project TreatAsLocalProperty="ImageRepository;ContainerRepository">
              <PropertyGroup>
                <ImageRepository>$(ImageRepository)/$(MSBuildProjectName.ToLowerInvariant())</ImageRepository>
                <ContainerRepository>$(ContainerRepository)/$(MSBuildProjectName.ToLowerInvariant())</ContainerRepository>
              </PropertyGroup>
            </Project>
            """
        );
        contender.Adapt(projects.Select(name => $"{name}/{name}.csproj"));
    }

    private const string ServiceProject = """
        <Project Sdk="Microsoft.NET.Sdk.Web">
          <PropertyGroup>
            <TargetFramework>net10.0</TargetFramework>
            <ImplicitUsings>enable</ImplicitUsings>
          </PropertyGroup>
          <ItemGroup>
            <PackageReference Include="Azure.Storage.Blobs" Version="12.30.1" />
            <PackageReference Include="Grpc.AspNetCore" Version="2.85.0" />
            <PackageReference Include="Microsoft.EntityFrameworkCore.SqlServer" Version="10.0.15" />
            <PackageReference Include="Npgsql.EntityFrameworkCore.PostgreSQL" Version="10.0.3" />
            <PackageReference Include="Serilog.AspNetCore" Version="10.0.0" />
            <PackageReference Include="StackExchange.Redis" Version="3.4.35" />
          </ItemGroup>
        </Project>
        """;
}

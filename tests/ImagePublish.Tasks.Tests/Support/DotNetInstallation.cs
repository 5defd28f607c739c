namespace ImagePublish.Tasks.Tests.Support;

/// <summary>The .NET that runs these tests: the SDK's folder and the newest shared runtimes in it.</summary>
public sealed record DotNetInstallation(string Folder, string RuntimeVersion, string AspNetVersion)
{
    public static DotNetInstallation Find()
    {
        // …/shared/Microsoft.NETCore.App/10.0.x/
        var runtime = new DirectoryInfo(Path.GetDirectoryName(typeof(object).Assembly.Location)!);
        var shared = runtime.Parent!.Parent!;
        var aspNet = shared
            .GetDirectories("Microsoft.AspNetCore.App")
            .Single()
            .GetDirectories($"{Environment.Version.Major}.*")
            .OrderBy(version => Version.TryParse(version.Name, out var number) ? number : new Version(0, 0))
            .Last();
        return new DotNetInstallation(shared.Parent!.FullName, runtime.Name, aspNet.Name);
    }
}

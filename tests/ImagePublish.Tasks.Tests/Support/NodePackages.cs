using System.Collections.Concurrent;

namespace ImagePublish.Tasks.Tests.Support;

/// <summary>Scripts for Node.js of a folder of these tests, with the packages that its lock file pins.</summary>
internal static class NodePackages
{
    private const string Modules = "node_modules";

    // What was installed in this run, by the folder of the scripts.
    private static readonly ConcurrentDictionary<string, Lazy<Task<TemporaryFolder>>> Installed = new(StringComparer.Ordinal);

    /// <summary>Copies the scripts to a folder, and installs what they need, without running anything of it.</summary>
    /// <param name="scripts">The folder below this project.</param>
    /// <returns>The folder. Its packages are those of every other one with these scripts.</returns>
    public static async Task<string> InstallAsync(string scripts, string target, CancellationToken cancellationToken)
    {
        var packages = await Installed.GetOrAdd(scripts, _ => new(() => InstallAsync(scripts))).Value.WaitAsync(cancellationToken);
        SourceTree.Copy(Folder(scripts), target);
        Directory.CreateSymbolicLink(Path.Combine(target, Modules), packages[Modules]);
        return target;
    }

    /// <summary>Removes what was installed, when the run ends.</summary>
    public static async Task RemoveAsync()
    {
        foreach (var packages in Installed.Values.Where(one => one.IsValueCreated && one.Value.IsCompletedSuccessfully))
            (await packages.Value).Dispose();
    }

    private static async Task<TemporaryFolder> InstallAsync(string scripts)
    {
        var folder = new TemporaryFolder();
        SourceTree.Copy(Folder(scripts), folder.Path);
        await new CommandLine("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund") { WorkingDirectory = folder.Path }.SucceedAsync(
            CancellationToken.None
        );
        return folder;
    }

    private static string Folder(string scripts) => Path.Combine("tests", "ImagePublish.Tasks.Tests", scripts);
}

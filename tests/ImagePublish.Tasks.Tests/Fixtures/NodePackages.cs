namespace ImagePublish.Tasks.Tests.Fixtures;

/// <summary>Scripts for Node.js of a folder of these tests, with the packages that its lock file pins.</summary>
internal static class NodePackages
{
    /// <summary>Copies the scripts to a folder, and installs what they need, without running anything of it.</summary>
    /// <param name="scripts">The folder below this project.</param>
    /// <returns>The folder.</returns>
    public static async Task<string> InstallAsync(string scripts, string target, CancellationToken cancellationToken)
    {
        SourceTree.Copy(Path.Combine("tests", "ImagePublish.Tasks.Tests", scripts), target);
        await new CommandLine("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund") { WorkingDirectory = target }.SucceedAsync(
            cancellationToken
        );
        return target;
    }
}

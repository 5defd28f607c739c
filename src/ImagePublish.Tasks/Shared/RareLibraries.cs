using System.Reflection;
using System.Runtime.Loader;

namespace ImagePublish.Tasks.Shared;

/// <summary>
/// Finds libraries that few builds need and that are therefore only once in the package: in <c>tasks/net10.0</c>, but not in the folders
/// of assemblies that are compiled ahead of time (ReadyToRun.targets).
/// </summary>
internal static class RareLibraries
{
    // No other: what MSBuild and the SDK have too must come from the folder of the tasks, in the version that was tested.
    private const string Name = "BouncyCastle.Cryptography";

    public static void Register() => AssemblyLoadContext.GetLoadContext(typeof(RareLibraries).Assembly)!.Resolving += Find;

    private static Assembly? Find(AssemblyLoadContext context, AssemblyName name)
    {
        if (name.Name != Name)
            return null;
        var compiled = Path.GetDirectoryName(typeof(RareLibraries).Assembly.Location);
        var file = Path.GetFullPath(Path.Combine(compiled ?? "", "..", $"{Name}.dll"));
        return File.Exists(file) ? context.LoadFromAssemblyPath(file) : null;
    }
}

using System.Diagnostics;

namespace ImagePublish.Oci;

/// <summary>Finds programs on the PATH, and nowhere else: <see cref="Process.Start(ProcessStartInfo)"/> also looks in the current folder, which is the project's during a build.</summary>
public static class ProgramPath
{
    /// <summary>Finds a program in the absolute folders of a PATH.</summary>
    /// <param name="program">Its name without extension.</param>
    /// <param name="path">The PATH.</param>
    /// <param name="isWindows">Whether the PATH and the names of programs are those of Windows.</param>
    /// <returns>Its full path, or null.</returns>
    public static string? Find(string program, string? path, bool isWindows)
    {
        string[] names = isWindows ? [program + ".exe", program + ".cmd"] : [program];
        var folders = (path ?? "").Split(isWindows ? ';' : ':').Select(folder => folder.Trim('"')).Where(Path.IsPathFullyQualified);
        return folders.SelectMany(folder => names.Select(name => Path.Combine(folder, name))).FirstOrDefault(IsProgram);
    }

    /// <summary>Finds a program in the absolute folders of this process's PATH.</summary>
    /// <param name="program">Its name without extension.</param>
    /// <returns>Its full path, or null.</returns>
    public static string? Find(string program) =>
        Find(program, new ProcessStartInfo().Environment.TryGetValue("PATH", out var path) ? path : null, OperatingSystem.IsWindows());

    private static bool IsProgram(string path) => File.Exists(path) && (OperatingSystem.IsWindows()
        || (File.GetUnixFileMode(path) & (UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute)) != 0);
}

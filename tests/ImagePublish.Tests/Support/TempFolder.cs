namespace ImagePublish.Tests.Support;

/// <summary>A folder that is gone after the test.</summary>
public sealed class TempFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("layers-").FullName;

    public string File(string name, string text) => File(name, System.Text.Encoding.UTF8.GetBytes(text));

    public string File(string name, byte[] content)
    {
        var path = At(name);
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(path)!);
        System.IO.File.WriteAllBytes(path, content);
        return path;
    }

    public string Link(string name, string target)
    {
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(At(name))!);
        return System.IO.File.CreateSymbolicLink(At(name), target).FullName;
    }

    public string At(string name) => System.IO.Path.Combine(Path, name);

    public void Dispose() => Directory.Delete(Path, recursive: true);
}

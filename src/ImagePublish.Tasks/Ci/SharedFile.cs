using System.Text;

namespace ImagePublish.Tasks.Ci;

/// <summary>Files of CI systems that several projects of one build write to, at the same time and from several processes.</summary>
internal static class SharedFile
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>Writes at the end of a file.</summary>
    public static void Append(string path, string text)
    {
        using var file = Open(path);
        file.Seek(0, SeekOrigin.End);
        file.Write(Encoding.UTF8.GetBytes(text));
    }

    /// <summary>Sets lines <c>NAME=value</c>; the others stay.</summary>
    public static void SetLines(string path, Dictionary<string, string> values)
    {
        using var file = Open(path);
        using var reader = new StreamReader(file);
        var kept = reader
            .ReadToEnd()
            .Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Where(line => !values.ContainsKey(line.Split('=')[0]));
        var text = string.Concat(kept.Concat(values.Select(value => $"{value.Key}={value.Value}")).Select(line => line + "\n"));
        file.SetLength(0);
        file.Write(Encoding.UTF8.GetBytes(text));
    }

    private static FileStream Open(string path)
    {
        for (var deadline = Environment.TickCount64 + (long)Patience.TotalMilliseconds; ; )
        {
            try
            {
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException exception)
                when (exception is not FileNotFoundException and not DirectoryNotFoundException && Environment.TickCount64 < deadline)
            {
                // Another project writes to it.
                Task.Delay(20).GetAwaiter().GetResult();
            }
        }
    }
}

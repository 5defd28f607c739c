using System.Text;
using ImagePublish.Common;
using ImagePublish.Diagnostics;

namespace ImagePublish.Tasks.Ci;

/// <summary>Files of CI systems that several projects of one build write to, at the same time and from several processes.</summary>
internal static class SharedFile
{
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(10);

    public static void Append(string path, string text, IPublishLog? log)
    {
        using var held = Lock(path, log);
        var file = held.Content;
        file.Seek(0, SeekOrigin.End);
        file.Write(Encoding.UTF8.GetBytes(text));
    }

    public static void SetLines(string path, Dictionary<string, string> values, IPublishLog? log) =>
        Change(
            path,
            lines =>
                lines.Where(line => !values.ContainsKey(line.Split('=')[0])).Concat(values.Select(value => $"{value.Key}={value.Value}")),
            log
        );

    public static void Change(string path, Func<IEnumerable<string>, IEnumerable<string>> change, IPublishLog? log)
    {
        using var held = Lock(path, log);
        var file = held.Content;
        using var reader = new StreamReader(file);
        var lines = change(reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries));
        var text = string.Concat(lines.Select(line => line + "\n"));
        file.SetLength(0);
        file.Write(Encoding.UTF8.GetBytes(text));
    }

    private static FileLock Lock(string path, IPublishLog? log) =>
        FileLock.Acquire(
            new FileLockRequest(Path.GetFullPath(path), $"writes to '{path}' too", LongestWait)
            {
                Options = FileLockOptions.InPlace,
                Log = log,
            }
        );
}

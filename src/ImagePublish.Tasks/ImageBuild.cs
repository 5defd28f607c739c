using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;
using ImagePublish.Common;
using ImagePublish.Reporting;
using ImagePublish.Tasks.Ci;
using ImagePublish.Tasks.Progress;
using ImagePublish.Tasks.Shared;

namespace ImagePublish.Tasks;

/// <summary>One build of several projects, from the first that publishes an image to the end, which sums up what became of them.</summary>
/// <remarks>
/// <para>
/// MSBuild tells nobody which project of a build is the last, and builds them in several processes. So one process owns a folder, each
/// project that another process builds leaves a file there before its task ends, and the owner reads them when MSBuild disposes of what
/// tasks have registered for the length of the build: by then no task runs in any process.
/// </para>
/// <para>
/// The owner is the process in which MSBuild runs <c>dirs.proj</c>, once for all projects, since the result of a target is kept for a
/// build. Projects of this name are for MSBuild what ties others together, and are built in the process that was started, which prints
/// the log. No task can log when a build is over, so the summary is printed when that process ends.
/// </para>
/// </remarks>
internal sealed class ImageBuild : IDisposable
{
    private const int MaxRecords = 20_000;
    private const string Pattern = "*.json";

    private static readonly ConcurrentDictionary<string, ImageBuild> Owned = new(StringComparer.Ordinal);

    private readonly ConcurrentQueue<BuildRecord> records = new();
    private readonly Stopwatch clock = Stopwatch.StartNew();
    private readonly DirectoryInfo folder;
    private readonly TerminalEpilogue? epilogue;
    private readonly CiSummary ci = CiSummary.Create(TaskEnvironment.Variable);

    private ImageBuild(DirectoryInfo folder, TerminalEpilogue? epilogue) => (this.folder, this.epilogue) = (folder, epilogue);

    public string Folder => folder.FullName;

    /// <summary>Begins one; null where there is no folder for it: then each project reports for itself.</summary>
    public static ImageBuild? TryBegin(TerminalEpilogue? epilogue)
    {
        try
        {
            var build = new ImageBuild(Directory.CreateTempSubdirectory("imagepublish-build-"), epilogue);
            Owned[build.Folder] = build;
            return build;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Adds a record to the build that has a folder.</summary>
    /// <exception cref="IOException">It can't be written.</exception>
    public static void Add(string folder, BuildRecord record)
    {
        if (Owned.TryGetValue(folder, out var build))
        {
            build.records.Enqueue(record);
            return;
        }

        var name = Path.Combine(folder, Guid.NewGuid().ToString("n"));
        File.WriteAllBytes(name, record.ToJson());
        File.Move(name, name + ".json");
    }

    /// <summary>Sums the build up.</summary>
    public void Dispose()
    {
        Owned.TryRemove(Folder, out _);
        try
        {
            List<BuildRecord> all = [.. records, .. folder.EnumerateFiles(Pattern).Take(MaxRecords).Select(Read)];
            folder.Delete(recursive: true);
            if (all.Count > 0)
                Report(all);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or JsonException)
        {
            epilogue?.Summarize([Text.OneLine($"The images of this build could not be summed up: {exception.Message}")]);
        }
    }

    private static BuildRecord Read(FileInfo file) => BuildRecord.Parse(File.ReadAllBytes(file.FullName));

    private void Report(List<BuildRecord> all)
    {
        var files = all.Select(record => record.SummaryFile).OfType<string>().Distinct(StringComparer.Ordinal).ToList();
        // One image is reported by its project, as if there were no others to come.
        if (BuildRecord.AreOfOneImage(all))
        {
            var printed = ci.Write(all.Find(record => record.Markdown is not null)?.Markdown);
            epilogue?.Summarize(printed);
            if (files.Count == 0)
                return;
        }

        var summary = BuildSummary.Create(all, clock.Elapsed);
        foreach (var file in files)
            File.WriteAllBytes(file, summary.ToJson());
        if (summary.Projects.Count == 1)
            return;
        var shown = ci.Write(summary.Markdown()).Concat(ci.WriteOutputs(summary)).ToList();
        epilogue?.Summarize(shown.Concat(summary.Lines()));
    }
}

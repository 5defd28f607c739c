using System.Diagnostics;
using System.Globalization;
using System.Text;
using ImagePublish.Common;
using ImagePublish.Oci;

namespace ImagePublish.Storage;

/// <summary>Who of one piece of work publishes under which name, so that no two do it under the same.</summary>
/// <remarks>
/// Several processes may work together. Each keeps a locked file for every name that it claims, with a note beside it that says who claims it. The operating system frees the lock of a process
/// that dies; its note is then one of nobody. Where files can't be had, each process knows of its own claims alone: a claim never keeps anybody from publishing by mistake.
/// </remarks>
/// <param name="folder">Where processes that work together see each other's claims; null where there is only this one.</param>
/// <param name="work">What they work on together, such as the path of a solution. Claims for anything else are none of theirs.</param>
internal sealed class NameClaims(string? folder, string work) : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(10);

    private readonly Lock gate = new();
    private readonly Dictionary<string, string> owners = new(StringComparer.Ordinal);
    private readonly List<(string Path, FileLock Lock)> held = [];

    /// <summary>Claims a name.</summary>
    public async Task<string?> ClaimAsync(string name, string owner, CancellationToken cancellationToken)
    {
        lock (gate)
        {
            if (!owners.TryAdd(name, owner))
                return owners[name] == owner ? null : owners[name];
        }

        if (folder is null)
            return null;
        try
        {
            var file = Digest.Compute(Encoding.UTF8.GetBytes($"{work}\n{name}")).Hex;
            var other = await HoldAsync(Path.Combine(folder, file), owner, cancellationToken);
            if (other is not null)
            {
                lock (gate)
                    owners.Remove(name);
            }

            return other;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Gives up all claims.</summary>
    public void Dispose()
    {
        lock (gate)
        {
            foreach (var (path, claim) in held)
            {
                DeleteNote(path);
                claim.Dispose();
            }

            held.Clear();
            owners.Clear();
        }
    }

    private async Task<string?> HoldAsync(string path, string owner, CancellationToken cancellationToken)
    {
        for (var waiting = Stopwatch.StartNew(); waiting.Elapsed < Patience; await Task.Delay(Pause, cancellationToken))
        {
            if (FileLock.TryAcquire(path, FileLockOptions.Temporary) is { } claim)
            {
                lock (gate)
                    held.Add((path, claim));
                PrivateFiles.Write(
                    NoteOf(path),
                    Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{Environment.ProcessId}\n{owner}"))
                );
                return null;
            }

            // Whoever has the lock is about to write its note, or about to leave.
            if (
                File.Exists(NoteOf(path))
                && await File.ReadAllTextAsync(NoteOf(path), cancellationToken) is var note
                && note.Split('\n') is [var process, var other]
                && IsAlive(process)
            )
                return other == owner ? null : other;
        }

        return null;
    }

    private static string NoteOf(string path) => $"{path}.owner";

    private static bool IsAlive(string process)
    {
        try
        {
            using var found = int.TryParse(process, CultureInfo.InvariantCulture, out var id) ? Process.GetProcessById(id) : null;
            return found is not null;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }

    private static void DeleteNote(string path)
    {
        try
        {
            File.Delete(NoteOf(path));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // What it says is no longer true of any process that runs.
        }
    }
}

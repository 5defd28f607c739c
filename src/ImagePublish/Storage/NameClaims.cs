using System.Diagnostics;
using System.Text;
using ImagePublish.Common;
using ImagePublish.Oci;

namespace ImagePublish.Storage;

/// <summary>Which project of a build publishes under which name, so that no two publish under the same.</summary>
/// <remarks>
/// Several processes may work together. Each keeps a locked file for every name that it claims, with its owner in a file beside it. The
/// operating system releases the lock of a process that ends. Where files can't be locked, each process knows only its own claims: no claim
/// prevents a publish by mistake.
/// </remarks>
/// <param name="folder">The folder that processes that work together share; null where there is only this one.</param>
/// <param name="work">What they work on together, such as the path of a solution. Claims for anything else are none of theirs.</param>
internal sealed class NameClaims(string? folder, string work) : IDisposable
{
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(10);

    private readonly Lock gate = new();
    private readonly Dictionary<string, string> owners = new(StringComparer.Ordinal);
    private readonly List<FileLock> held = [];

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

    public void Dispose()
    {
        lock (gate)
        {
            foreach (var claim in held)
                claim.Dispose();

            held.Clear();
            owners.Clear();
        }
    }

    private async Task<string?> HoldAsync(string path, string owner, CancellationToken cancellationToken)
    {
        for (var waiting = Stopwatch.StartNew(); waiting.Elapsed < LongestWait; await Task.Delay(Pause, cancellationToken))
        {
            if (FileLock.TryAcquire(path, FileLockOptions.Temporary | FileLockOptions.NamesOwner, owner) is { } claim)
            {
                lock (gate)
                    held.Add(claim);
                return null;
            }

            // Nobody is named yet, or any more, while the process that has the lock is about to write its name or to release it.
            if (FileLock.ReadOwner(path) is var (process, other) && IsAlive(process))
                return other == owner ? null : other;
        }

        return null;
    }

    private static bool IsAlive(int process)
    {
        try
        {
            using var found = Process.GetProcessById(process);
            return true;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }
}

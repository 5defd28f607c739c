using System.Collections.Concurrent;
using System.Collections.Immutable;
using ImagePublish.Oci;
using ImagePublish.Registries.Blobs;

namespace ImagePublish.Tests.Support;

/// <summary>What several builds know of each other, kept in memory.</summary>
internal sealed class SharedLocations : IBlobLocations
{
    private readonly ConcurrentDictionary<Digest, ImmutableList<Repository>> repositories = new();
    private readonly SemaphoreSlim gate = new(1, 1);

    public int Locks { get; private set; }

    public Task<IReadOnlyList<Repository>> FindAsync(Digest blob, CancellationToken cancellationToken) =>
        Task.FromResult<IReadOnlyList<Repository>>(repositories.GetValueOrDefault(blob, []));

    public Task<bool> HaveSeenAsync(Repository repository, CancellationToken cancellationToken) =>
        Task.FromResult(repositories.Values.Any(known => known.Contains(repository)));

    public Task RememberAsync(Digest blob, Repository repository, CancellationToken cancellationToken)
    {
        repositories.AddOrUpdate(blob, [repository], (_, known) => known.Insert(0, repository));
        return Task.CompletedTask;
    }

    public async Task<IDisposable?> LockAsync(Digest blob, Registry registry, CancellationToken cancellationToken)
    {
        await gate.WaitAsync(cancellationToken);
        Locks++;
        return new Held(gate);
    }

    private sealed class Held(SemaphoreSlim gate) : IDisposable
    {
        public void Dispose() => gate.Release();
    }
}

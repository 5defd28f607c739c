namespace ImagePublish.Publishing.Locking;

/// <summary>The lock file of a project.</summary>
internal sealed record LockRequest(string File)
{
    /// <summary>Whether a lock that does not fit is an error instead of a reason to renew it.</summary>
    public bool IsLocked { get; init; }

    /// <summary>A folder of the user in which those wait for each other who change the same file.</summary>
    public required string LockFolder { get; init; }

    /// <summary>All platforms of the project: what the lock has of others is dropped. Empty keeps it.</summary>
    public IReadOnlyList<string> Platforms { get; init; } = [];
}

namespace ImagePublish.Testing;

/// <summary>A token that was handed out.</summary>
public sealed class IssuedToken(string value, string? user, IReadOnlyList<Grant> grants, DateTimeOffset expires)
{
    private int uses;

    public string Value => value;

    /// <summary>Null: anonymous.</summary>
    public string? User => user;

    public IReadOnlyList<Grant> Grants => grants;

    public DateTimeOffset Expires { get; internal set; } = expires;

    /// <summary>Requests that were made with it.</summary>
    public int Uses => Volatile.Read(ref uses);

    internal int Use() => Interlocked.Increment(ref uses);
}

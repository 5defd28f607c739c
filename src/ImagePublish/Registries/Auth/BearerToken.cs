using System.Net.Http.Headers;

namespace ImagePublish.Registries.Auth;

/// <summary>A token, what it is for and until when it is used.</summary>
/// <param name="ExpiresAt">When it stops being used: somewhat before its end, for requests take time and clocks differ.</param>
internal sealed record BearerToken(string Value, IReadOnlyList<Scope> Scopes, DateTimeOffset IssuedAt, DateTimeOffset ExpiresAt)
{
    private static readonly TimeSpan LongestMargin = TimeSpan.FromSeconds(30);

    private int uses;

    public AuthenticationHeaderValue Header => new("Bearer", Value);

    /// <summary>Whether it was got because one that should still have been good was refused.</summary>
    public bool ReplacesRefused { get; init; }

    /// <summary>A new identity token that came with it, which takes the place of the one that was sent.</summary>
    public string? IdentityToken { get; init; }

    public int Uses => Volatile.Read(ref uses);

    public void CountUse() => Interlocked.Increment(ref uses);

    /// <summary>A token that lives for some time from when it was asked for.</summary>
    public static BearerToken Living(string value, IReadOnlyList<Scope> scopes, DateTimeOffset issuedAt, TimeSpan lifetime)
    {
        var margin = lifetime / 5;
        return new BearerToken(value, scopes, issuedAt, issuedAt + lifetime - (margin < LongestMargin ? margin : LongestMargin));
    }

    public override string ToString() => $"BearerToken {{ {string.Join(' ', Scopes)} }}";
}

internal sealed record BearerRealm(Uri Address, string? Service)
{
    /// <summary>The realm of a Bearer challenge, or null where it has none.</summary>
    public static BearerRealm? Read(Challenge challenge) =>
        challenge.IsBearer && Uri.TryCreate(challenge.Parameter("realm"), UriKind.RelativeOrAbsolute, out var address)
            ? new BearerRealm(address, challenge.Parameter("service"))
            : null;
}

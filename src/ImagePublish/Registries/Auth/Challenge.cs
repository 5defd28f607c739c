using System.Collections.Frozen;

namespace ImagePublish.Registries.Auth;

/// <summary>One way to sign in that a server offers in <c>WWW-Authenticate</c>.</summary>
/// <remarks><see href="https://www.rfc-editor.org/rfc/rfc9110#section-11.3">RFC 9110, 11.3</see>.</remarks>
/// <param name="Scheme">The scheme as it was written, such as <c>Bearer</c>.</param>
/// <param name="Parameters">The parameters; names don't heed case, and the first of a name counts.</param>
internal sealed record Challenge(string Scheme, IReadOnlyDictionary<string, string> Parameters)
{
    /// <summary>The data of a scheme that has no parameters.</summary>
    public string? Token68 { get; init; }

    /// <summary>Whether it asks for a user name and password.</summary>
    public bool IsBasic => Scheme.Equals("Basic", StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether it asks for a token.</summary>
    public bool IsBearer => Scheme.Equals("Bearer", StringComparison.OrdinalIgnoreCase);

    /// <summary>Reads all challenges of all headers. What can't be understood is passed over.</summary>
    /// <param name="headerValues">The values of <c>WWW-Authenticate</c>, each with any number of challenges.</param>
    /// <returns>The challenges in order.</returns>
    public static IReadOnlyList<Challenge> ParseAll(IEnumerable<string> headerValues) => [.. headerValues.SelectMany(value => new ChallengeReader(value).ReadAll())];

    /// <summary>A parameter's value.</summary>
    /// <param name="name">Its name.</param>
    /// <returns>The value, or null where it is absent or empty.</returns>
    public string? Parameter(string name) => Parameters.TryGetValue(name, out var value) && value.Length > 0 ? value : null;

    internal static Challenge Of(string scheme, string? token68, IDictionary<string, string> parameters) =>
        new(scheme, parameters.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase)) { Token68 = token68 };
}

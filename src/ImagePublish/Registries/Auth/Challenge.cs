using System.Collections.Frozen;

namespace ImagePublish.Registries.Auth;

/// <summary>One way to sign in that a server offers in <c>WWW-Authenticate</c>.</summary>
/// <remarks><see href="https://www.rfc-editor.org/rfc/rfc9110#section-11.3">RFC 9110, 11.3</see>.</remarks>
internal sealed record Challenge(string Scheme, IReadOnlyDictionary<string, string> Parameters)
{
    /// <summary>The data of a scheme that has no parameters.</summary>
    public string? Token68 { get; init; }

    /// <summary>Whether it asks for a user name and password.</summary>
    public bool IsBasic => Scheme.Equals("Basic", StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether it asks for a token.</summary>
    public bool IsBearer => Scheme.Equals("Bearer", StringComparison.OrdinalIgnoreCase);

    /// <summary>Reads all challenges of all headers. What can't be understood is passed over.</summary>
    public static IReadOnlyList<Challenge> ParseAll(IEnumerable<string> headerValues) =>
        [.. headerValues.SelectMany(value => new ChallengeReader(value).ReadAll())];

    /// <summary>A parameter's value.</summary>
    public string? Parameter(string name) => Parameters.TryGetValue(name, out var value) && value.Length > 0 ? value : null;

    internal static Challenge Create(string scheme, string? token68, IDictionary<string, string> parameters) =>
        new(scheme, parameters.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase)) { Token68 = token68 };
}

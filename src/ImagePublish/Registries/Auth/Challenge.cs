using System.Collections.Frozen;
using System.Text;

namespace ImagePublish.Registries.Auth;

/// <summary>One way to sign in that a server offers in <c>WWW-Authenticate</c>.</summary>
/// <remarks><see href="https://www.rfc-editor.org/rfc/rfc9110#section-11.3">RFC 9110, 11.3</see>.</remarks>
internal sealed record Challenge(string Scheme, IReadOnlyDictionary<string, string> Parameters)
{
    public string? Token68 { get; init; }

    public bool IsBasic => Scheme.Equals("Basic", StringComparison.OrdinalIgnoreCase);

    public bool IsBearer => Scheme.Equals("Bearer", StringComparison.OrdinalIgnoreCase);

    /// <summary>Reads all challenges of all headers. What can't be understood is skipped.</summary>
    public static IReadOnlyList<Challenge> ParseAll(IEnumerable<string> headerValues) =>
        [.. headerValues.SelectMany(value => new ChallengeReader(value).ReadAll())];

    public string? Parameter(string name) => Parameters.TryGetValue(name, out var value) && value.Length > 0 ? value : null;

    internal static Challenge Create(string scheme, string? token68, IDictionary<string, string> parameters) =>
        new(scheme, parameters.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase)) { Token68 = token68 };
}

/// <summary>Reads one header's challenges: strictly where the grammar is clear, leniently (missing commas, unquoted URLs) where servers
/// differ from it.</summary>
/// <remarks><c>challenge = scheme [ 1*SP ( token68 / #( token BWS "=" BWS ( token / quoted-string ) ) ) ]</c>, RFC 9110, 11.3.</remarks>
internal sealed class ChallengeReader(string text)
{
    private const string TokenSymbols = "!#$%&'*+-.^_`|~";
    private const string Token68Symbols = "-._~+/";

    private readonly List<Challenge> challenges = [];
    private Dictionary<string, string> parameters = new(StringComparer.OrdinalIgnoreCase);
    private string? scheme;
    private string? token68;
    private int at;

    private bool AtEnd => at >= text.Length;

    public IReadOnlyList<Challenge> ReadAll()
    {
        while (true)
        {
            SkipWhile(c => c is ',' or ' ' or '\t');
            if (AtEnd)
                break;
            var name = ReadWhile(IsTokenCharacter);
            if (name.Length == 0)
                SkipGarbage();
            else if (StartsValue())
                ReadParameter(name);
            else
                StartChallenge(name);
        }

        Finish();
        return challenges;
    }

    private static bool IsTokenCharacter(char c) => char.IsAsciiLetterOrDigit(c) || TokenSymbols.Contains(c, StringComparison.Ordinal);

    private static bool IsToken68Character(char c) => char.IsAsciiLetterOrDigit(c) || Token68Symbols.Contains(c, StringComparison.Ordinal);

    private static bool IsWhiteSpace(char c) => c is ' ' or '\t';

    private bool StartsValue()
    {
        var next = at;
        while (next < text.Length && IsWhiteSpace(text[next]))
            next++;
        return next < text.Length && text[next] == '=';
    }

    private void StartChallenge(string scheme)
    {
        Finish();
        this.scheme = scheme;
        SkipWhile(IsWhiteSpace);
        token68 = ReadToken68();
    }

    private void ReadParameter(string name)
    {
        SkipWhile(IsWhiteSpace);
        at++;
        SkipWhile(IsWhiteSpace);
        // Quirk: loose-challenge.
        var value = !AtEnd && text[at] == '"' ? ReadQuoted() : ReadWhile(c => c is not (',' or ' ' or '\t'));
        if (scheme is not null)
            parameters.TryAdd(name, value);
    }

    // Data such as Negotiate's, distinguished from parameters by a comma or the end behind it.
    private string? ReadToken68()
    {
        var start = at;
        SkipWhile(IsToken68Character);
        var hasData = at > start;
        SkipWhile(c => c == '=');
        var end = at;
        SkipWhile(IsWhiteSpace);
        if (hasData && (AtEnd || text[at] == ','))
            return text[start..end];
        at = start;
        return null;
    }

    private string ReadQuoted()
    {
        var value = new StringBuilder();
        for (at++; !AtEnd && text[at] != '"'; at++)
        {
            if (text[at] == '\\' && at + 1 < text.Length)
                at++;
            value.Append(text[at]);
        }

        at++;
        return value.ToString();
    }

    private void SkipGarbage()
    {
        if (text[at] == '"')
            ReadQuoted();
        else
            at++;
    }

    private void Finish()
    {
        if (scheme is null)
            return;
        challenges.Add(Challenge.Create(scheme, token68, parameters));
        (scheme, token68, parameters) = (null, null, new(StringComparer.OrdinalIgnoreCase));
    }

    private string ReadWhile(Func<char, bool> isPart)
    {
        var start = at;
        SkipWhile(isPart);
        return text[start..at];
    }

    private void SkipWhile(Func<char, bool> isPart)
    {
        while (!AtEnd && isPart(text[at]))
            at++;
    }
}

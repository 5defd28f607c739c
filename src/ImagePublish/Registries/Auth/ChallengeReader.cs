using System.Text;

namespace ImagePublish.Registries.Auth;

/// <summary>Reads one header's challenges: strictly where the grammar is clear, leniently (missing commas, unquoted URLs) where servers differ from it.</summary>
/// <remarks><c>challenge = scheme [ 1*SP ( token68 / #( token BWS "=" BWS ( token / quoted-string ) ) ) ]</c>, RFC 9110, 11.3.</remarks>
internal sealed class ChallengeReader(string text)
{
    private const string TokenSymbols = "!#$%&'*+-.^_`|~";
    private const string Token68Symbols = "-._~+/";

    private readonly List<Challenge> _challenges = [];
    private Dictionary<string, string> _parameters = new(StringComparer.OrdinalIgnoreCase);
    private string? _scheme;
    private string? _token68;
    private int _at;

    private bool AtEnd => _at >= text.Length;

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
        return _challenges;
    }

    private static bool IsTokenCharacter(char c) => char.IsAsciiLetterOrDigit(c) || TokenSymbols.Contains(c, StringComparison.Ordinal);

    private static bool IsToken68Character(char c) => char.IsAsciiLetterOrDigit(c) || Token68Symbols.Contains(c, StringComparison.Ordinal);

    private static bool IsWhiteSpace(char c) => c is ' ' or '\t';

    private bool StartsValue()
    {
        var next = _at;
        while (next < text.Length && IsWhiteSpace(text[next]))
            next++;
        return next < text.Length && text[next] == '=';
    }

    private void StartChallenge(string scheme)
    {
        Finish();
        _scheme = scheme;
        SkipWhile(IsWhiteSpace);
        _token68 = ReadToken68();
    }

    private void ReadParameter(string name)
    {
        SkipWhile(IsWhiteSpace);
        _at++;
        SkipWhile(IsWhiteSpace);
        var value = !AtEnd && text[_at] == '"' ? ReadQuoted() : ReadWhile(c => c is not (',' or ' ' or '\t'));
        if (_scheme is not null)
            _parameters.TryAdd(name, value);
    }

    // Data such as Negotiate's, told from parameters by nothing following but a comma or the end.
    private string? ReadToken68()
    {
        var start = _at;
        SkipWhile(IsToken68Character);
        var hasData = _at > start;
        SkipWhile(c => c == '=');
        var end = _at;
        SkipWhile(IsWhiteSpace);
        if (hasData && (AtEnd || text[_at] == ','))
            return text[start..end];
        _at = start;
        return null;
    }

    private string ReadQuoted()
    {
        var value = new StringBuilder();
        for (_at++; !AtEnd && text[_at] != '"'; _at++)
        {
            if (text[_at] == '\\' && _at + 1 < text.Length)
                _at++;
            value.Append(text[_at]);
        }

        _at++;
        return value.ToString();
    }

    private void SkipGarbage()
    {
        if (text[_at] == '"')
            ReadQuoted();
        else
            _at++;
    }

    private void Finish()
    {
        if (_scheme is null)
            return;
        _challenges.Add(Challenge.Of(_scheme, _token68, _parameters));
        (_scheme, _token68, _parameters) = (null, null, new(StringComparer.OrdinalIgnoreCase));
    }

    private string ReadWhile(Func<char, bool> isPart)
    {
        var start = _at;
        SkipWhile(isPart);
        return text[start.._at];
    }

    private void SkipWhile(Func<char, bool> isPart)
    {
        while (!AtEnd && isPart(text[_at]))
            _at++;
    }
}

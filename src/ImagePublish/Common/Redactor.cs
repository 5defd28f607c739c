using System.Buffers;
using System.Net;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.RegularExpressions;

namespace ImagePublish.Common;

/// <summary>Takes the secrets of a build out of text that other machines and programs wrote, should they repeat them. One for a build; safe
/// for many callers.</summary>
/// <remarks>
/// Each secret is looked for as it is and as it is sent: percent-encoded, in base64 alone and with its user name, and escaped as in JSON
/// and HTML. It is done before anything is shortened; since others shorten and escape too, any eight characters of a long secret count,
/// unless they are a word of the text that merely occurs in a secret: "incorrect password" stays, also where the password has that word in
/// it. So does whatever looks like an Authorization header or a JSON web token, whoever's it is.
/// </remarks>
internal sealed partial class Redactor
{
    private const string Mask = "***";

    // A secret of this length is recognised by any piece of it.
    private const int Long = 12;
    private const int Piece = 8;

    private static readonly SearchValues<char> Letters = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    private readonly Lock gate = new();
    private readonly HashSet<string> known = new(StringComparer.Ordinal);
    private readonly HashSet<string> sent = new(StringComparer.Ordinal);
    private readonly List<string> asTheyAre = [];
    private (string[] Short, HashSet<string> Pieces, HashSet<string> Beginnings)? forms;

    public void Add(string? secret, string? username = null)
    {
        if (string.IsNullOrEmpty(secret))
            return;
        lock (gate)
        {
            if (known.Add(secret))
                Keep(secret);
            if (username is not null && sent.Add($"{username}:{secret}"))
                Keep(Convert.ToBase64String(Encoding.UTF8.GetBytes($"{username}:{secret}")));
            forms = null;
        }
    }

    /// <summary>Text that another machine or program wrote, without secrets.</summary>
    public string Redact(string text) => WebToken().Replace(Header().Replace(Mark(text), $"$1 {Mask}"), Mask);

    public string Shown(string text) => Text.Sanitize(Redact(text));

    /// <summary>A message of ours without whole secrets, as they are and as Basic authentication sends them. Short ones stay: they could be
    /// any word of it.</summary>
    /// <remarks>It is done to every line, so it costs next to nothing.</remarks>
    public string RedactMessage(string message)
    {
        lock (gate)
        {
            foreach (var secret in asTheyAre)
            {
                if (secret.Length >= Piece)
                    message = message.Replace(secret, Mask, StringComparison.Ordinal);
            }

            return message;
        }
    }

    // The longest first: one may be a part of another.
    private void Keep(string secret)
    {
        var at = 0;
        while (at < asTheyAre.Count && asTheyAre[at].Length >= secret.Length)
            at++;
        asTheyAre.Insert(at, secret);
    }

    // Only something that fails needs them.
    private (string[] Short, HashSet<string> Pieces, HashSet<string> Beginnings) Forms()
    {
        lock (gate)
        {
            if (forms is not var (shortForms, pieces, beginnings))
            {
                var all = known.SelectMany(Encoded).Concat(sent.SelectMany(InBase64Forms)).Distinct(StringComparer.Ordinal).ToList();
                shortForms = [.. all.Where(form => form.Length < Long)];
                beginnings = all.Where(form => form.Length >= Long).Select(form => form[..Piece]).ToHashSet(StringComparer.Ordinal);
                pieces = all.Where(form => form.Length >= Long)
                    .SelectMany(form => Enumerable.Range(0, form.Length - Piece + 1).Select(at => form.Substring(at, Piece)))
                    .ToHashSet(StringComparer.Ordinal);
                forms = (shortForms, pieces, beginnings);
            }

            return (shortForms, pieces, beginnings);
        }
    }

    // Found on the text as it came: forms of one secret begin alike, and what is replaced for one would hide the rest from the other.
    private string Mark(string text)
    {
        var (shortForms, pieces, beginnings) = Forms();
        var isSecret = new bool[text.Length];
        foreach (var form in shortForms)
        {
            for (var at = text.IndexOf(form, StringComparison.Ordinal); at >= 0; at = text.IndexOf(form, at + 1, StringComparison.Ordinal))
                Array.Fill(isSecret, true, at, form.Length);
        }

        var lookup = pieces.GetAlternateLookup<ReadOnlySpan<char>>();
        var beginning = beginnings.GetAlternateLookup<ReadOnlySpan<char>>();
        for (var at = 0; at + Piece <= text.Length; at++)
        {
            var piece = text.AsSpan(at, Piece);
            if (lookup.Contains(piece) && (beginning.Contains(piece) || !IsWord(text, at)))
                Array.Fill(isSecret, true, at, Piece);
        }

        var marked = new StringBuilder(text.Length);
        for (var at = 0; at < text.Length; at++)
        {
            if (!isSecret[at])
                marked.Append(text[at]);
            else if (at == 0 || !isSecret[at - 1])
                marked.Append(Mask);
        }

        return marked.ToString();
    }

    // As long as a piece, letters only, and with a blank or the text's end on both sides, but for a full stop or a comma.
    private static bool IsWord(string text, int start)
    {
        var after = start + Piece;
        if (!text.AsSpan(start, Piece).ContainsAnyExcept(Letters) && (start == 0 || text[start - 1] == ' '))
            return after == text.Length
                || text[after] == ' '
                || (text[after] is '.' or ',' && (after + 1 == text.Length || text[after + 1] == ' '));
        return false;
    }

    private static IEnumerable<string> Encoded(string secret)
    {
        var percent = Uri.EscapeDataString(secret);
        return
        [
            secret,
            percent,
            percent.Replace("%20", "+", StringComparison.Ordinal),
            Lower(percent),
            JavaScriptEncoder.Default.Encode(secret),
            JavaScriptEncoder.UnsafeRelaxedJsonEscaping.Encode(secret),
            HtmlEncoder.Default.Encode(secret),
            WebUtility.HtmlEncode(secret),
            .. InBase64Forms(secret),
        ];
    }

    private static IEnumerable<string> InBase64Forms(string text)
    {
        // Without the padding, which some leave out.
        var base64 = Convert.ToBase64String(Encoding.UTF8.GetBytes(text)).TrimEnd('=');
        var percent = Uri.EscapeDataString(base64);
        return [base64, base64.Replace('+', '-').Replace('/', '_'), percent, Lower(percent)];
    }

    private static string Lower(string percent) => Escape().Replace(percent, escape => escape.Value.ToLowerInvariant());

    [GeneratedRegex("%[0-9A-F]{2}")]
    private static partial Regex Escape();

    [GeneratedRegex(@"\b(Basic|Bearer)(?:[\s:=]|%20)+[A-Za-z0-9._~+/=%-]{20,}", RegexOptions.IgnoreCase)]
    private static partial Regex Header();

    [GeneratedRegex(@"\beyJ[A-Za-z0-9_-]{10,}(\.[A-Za-z0-9_-]*){0,2}")]
    private static partial Regex WebToken();
}

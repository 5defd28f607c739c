using System.Net;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.RegularExpressions;

namespace ImagePublish.Oci;

/// <summary>Takes the secrets of a build out of text that other machines and programs wrote, should they repeat them. One for a build; safe for many callers.</summary>
/// <remarks>
/// Each secret is looked for as it is and as it is sent: percent-encoded, in base64 alone and with its user name, and escaped as in JSON and HTML. It is done before anything is shortened; since others
/// shorten too, the beginning of a long secret counts as well. So does whatever looks like an Authorization header or a JSON web token, whoever's it is.
/// </remarks>
public sealed partial class Redactor
{
    private const string Mask = "***";

    // A secret of this length is recognised by its first characters.
    private const int Long = 12;
    private const int Beginning = 8;

    private readonly Lock gate = new();
    private readonly HashSet<string> known = new(StringComparer.Ordinal);
    private readonly HashSet<string> sent = new(StringComparer.Ordinal);
    private readonly List<string> asTheyAre = [];
    private string[]? forms;

    /// <summary>A secret that must not be shown.</summary>
    /// <param name="secret">A password or token; nothing happens where there is none.</param>
    /// <param name="username">The user name that it is sent with, if one is.</param>
    public void Add(string? secret, string? username = null)
    {
        if (string.IsNullOrEmpty(secret))
            return;
        lock (gate)
        {
            if (known.Add(secret))
                asTheyAre.Add(secret);
            if (username is not null && sent.Add($"{username}:{secret}"))
                asTheyAre.Add(Convert.ToBase64String(Encoding.UTF8.GetBytes($"{username}:{secret}")));
            forms = null;
        }
    }

    /// <summary>Text that another machine or program wrote, without secrets.</summary>
    /// <param name="text">The text, before it is shortened.</param>
    /// <returns>The text with <c>***</c> in their place.</returns>
    public string Redact(string text)
    {
        foreach (var form in Forms())
            text = form.Length < Long ? text.Replace(form, Mask, StringComparison.Ordinal) : ReplaceBeginnings(text, form);
        return WebToken().Replace(Header().Replace(text, $"$1 {Mask}"), Mask);
    }

    /// <summary>The same, fit for one line of a message.</summary>
    /// <param name="text">The text, before it is shortened.</param>
    /// <returns>At most about 200 characters on one line.</returns>
    public string Shown(string text) => Text.Shown(Redact(text));

    /// <summary>A message of ours without whole secrets, as they are and as Basic authentication sends them. Short ones stay: they could be any word of it.</summary>
    /// <remarks>It is done to every line, so it costs next to nothing.</remarks>
    /// <param name="message">The message.</param>
    /// <returns>The message with <c>***</c> in their place.</returns>
    public string RedactMessage(string message)
    {
        lock (gate)
        {
            foreach (var secret in asTheyAre)
            {
                if (secret.Length >= Beginning)
                    message = message.Replace(secret, Mask, StringComparison.Ordinal);
            }

            return message;
        }
    }

    // Only something that fails needs them. The longest first: a long form may contain a short one.
    private string[] Forms()
    {
        lock (gate)
        {
            return forms ??= [.. known.SelectMany(Encoded).Concat(sent.SelectMany(InBase64Forms))
                .Distinct(StringComparer.Ordinal).OrderByDescending(form => form.Length)];
        }
    }

    private static string ReplaceBeginnings(string text, string form)
    {
        var beginning = form.AsSpan(0, Beginning);
        StringBuilder? redacted = null;
        var rest = text.AsSpan();
        while (rest.IndexOf(beginning) is var at and >= 0)
        {
            redacted ??= new StringBuilder();
            redacted.Append(rest[..at]).Append(Mask);
            rest = rest[at..];
            rest = rest[rest.CommonPrefixLength(form)..];
        }

        return redacted is null ? text : redacted.Append(rest).ToString();
    }

    private static IEnumerable<string> Encoded(string secret)
    {
        var percent = Uri.EscapeDataString(secret);
        return
        [
            secret, percent, percent.Replace("%20", "+", StringComparison.Ordinal), Lower(percent),
            JavaScriptEncoder.Default.Encode(secret), JavaScriptEncoder.UnsafeRelaxedJsonEscaping.Encode(secret), HtmlEncoder.Default.Encode(secret),
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

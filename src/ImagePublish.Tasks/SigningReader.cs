using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Requests;
using ImagePublish.Signing;
using ImagePublish.Tasks.Shared;
using ImagePublish.Trust;

namespace ImagePublish.Tasks;

/// <summary>Reads what images are signed with: <c>ImageSigningKey</c>, <c>ImageSigningCertificate</c> and
/// <c>ImageSignatureFormat</c>.</summary>
internal static class SigningReader
{
    private const string Property = "ImageSigningKey";
    private const string VariablePrefix = "env:";
    private const string ProgramPrefix = "program:";
    private const string FormatProperty = "ImageSignatureFormat";
    private const string CoseWord = "NotationCose";

    private static readonly Dictionary<string, SignatureFormat> FormatWords = new(StringComparer.OrdinalIgnoreCase)
    {
        ["Both"] = SignatureFormat.Both,
        ["Bundle"] = SignatureFormat.Bundle,
        ["Tag"] = SignatureFormat.Tag,
        ["Notation"] = SignatureFormat.Notation,
    };

    // Of a key in base64 everything that a log shows is a secret; of a short one any part.
    private const int LeastSecret = 12;

    /// <summary>Reads the key; null where images are not signed.</summary>
    /// <exception cref="ImagePublishException"><c>IMG6023</c>, <c>IMG6030</c>: nothing can be signed with it.</exception>
    public static SigningRequest? Read(ISigningInputs inputs)
    {
        var (chosen, envelope) = ReadFormat(inputs.SignatureFormat);
        if (InputParser.Optional(inputs.SigningKey) is not { } source)
            return null;
        if (KeylessReader.IsKeyless(source))
            return KeylessReader.Read(source, inputs, chosen);
        var notation = new NotationReader(inputs, envelope);
        if (NotationReader.IsPlugin(source))
        {
            if (chosen is not (null or SignatureFormat.Notation))
                throw InputParser.Invalid(
                    FormatProperty,
                    inputs.SignatureFormat!,
                    "a plugin of notation makes Notation signatures only. Leave it out"
                );
            return new SigningRequest(null, SignatureFormat.Notation) { Notation = notation.ReadPlugin(source) };
        }

        var certificate = InputParser.Optional(inputs.SigningCertificate);
        var format = chosen ?? (certificate is null ? SignatureFormat.Both : SignatureFormat.Notation);
        if (certificate is not null && !format.HasFlag(SignatureFormat.Notation))
            throw InputParser.Invalid(
                "ImageSigningCertificate",
                certificate,
                $"only Notation signatures have it. Add Notation to {FormatProperty}, or leave it out"
            );
        var key = ReadKey(source, inputs.ResolvePath);
        return new SigningRequest(key, format)
        {
            Notation = format.HasFlag(SignatureFormat.Notation) ? notation.ReadCertificates(key) : null,
        };
    }

    /// <summary>Whether what is named is an environment variable.</summary>
    public static bool IsVariable(string source, out string name)
    {
        var isVariable = source.StartsWith(VariablePrefix, StringComparison.OrdinalIgnoreCase);
        name = isVariable ? source[VariablePrefix.Length..] : "";
        return isVariable;
    }

    // Null where nothing is chosen.
    private static (SignatureFormat? Format, string Envelope) ReadFormat(string? text)
    {
        var (format, envelope) = (SignatureFormat.None, JwsEnvelope.MediaType);
        foreach (var word in InputParser.Words(text))
        {
            var isCose = word.Equals(CoseWord, StringComparison.OrdinalIgnoreCase);
            if (isCose)
                envelope = CoseEnvelope.MediaType;
            format |=
                isCose ? SignatureFormat.Notation
                : FormatWords.TryGetValue(word, out var known) ? known
                : throw InputParser.Invalid(
                    FormatProperty,
                    word,
                    $"expected {string.Join(", ", FormatWords.Keys)}, {CoseWord}, or several of them"
                );
        }

        return (format == SignatureFormat.None ? null : format, envelope);
    }

    private static Signer ReadKey(string source, Func<string, string> fullPath)
    {
        if (source.StartsWith(ProgramPrefix, StringComparison.OrdinalIgnoreCase))
            return ReadProgram(source[ProgramPrefix.Length..].Trim(), fullPath);
        var (name, pem) = InputParser.Named(Property, source, text => ReadText(text, fullPath));
        var password = TaskEnvironment.Variable(SigningKey.PasswordVariable);
        Withhold(pem, password);
        return InputParser.Named(Property, pem, text => SigningKey.Parse(name, text, password));
    }

    // The rest of the value is the key's name: no shell sees it.
    private static SignerProgram ReadProgram(string source, Func<string, string> fullPath)
    {
        var parts = source.Split(' ', 2, StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        if (parts.Length == 0)
            throw SignerProgram.Unusable("", "its name is missing, as in program:acme-sign");
        var program = parts[0].AsSpan().ContainsAny('/', '\\') ? fullPath(parts[0]) : Programs.Find(parts[0]);
        if (program is null || !File.Exists(program))
            throw SignerProgram.Unusable(parts[0], "it is not found. Name its path, relative to the project, or a program on the PATH");
        return new SignerProgram(program, parts.Length > 1 ? parts[1] : null, BuildSession.Redactor);
    }

    private static (string Name, string Pem) ReadText(string source, Func<string, string> fullPath)
    {
        // It is in the build's properties now, and a binary log has those.
        if (source.Contains("-----BEGIN", StringComparison.Ordinal) || source.Contains('\n', StringComparison.Ordinal))
            throw SigningKey.Unusable(
                "its value",
                "it is a key, not the name of one, and is now in the build's logs. Replace that key, and name a file or an "
                    + "environment variable, as in env:SIGNING_KEY"
            );
        if (!IsVariable(source, out var variable))
            return ($"'{source}'", SigningKey.ReadFile(fullPath(source)));
        return InputParser.Optional(TaskEnvironment.Variable(variable)) is { } pem
            ? ($"the environment variable '{variable}'", pem)
            : throw SigningKey.Unusable($"the environment variable '{variable}'", "it is not set. Set it to a private key in PEM");
    }

    private static void Withhold(string pem, string? password)
    {
        var redactor = BuildSession.Redactor;
        redactor.Add(password);
        foreach (var line in pem.Split(['\r', '\n', ' '], StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            if (line.Length >= LeastSecret && !line.StartsWith("-----", StringComparison.Ordinal))
                redactor.Add(line);
        }
    }
}

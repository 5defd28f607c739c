using ImagePublish.Diagnostics;
using ImagePublish.Http;
using ImagePublish.Requests;
using ImagePublish.Signing.Keyless;
using ImagePublish.Tasks.Shared;
using ImagePublish.Trust;

namespace ImagePublish.Tasks;

/// <summary>Reads how images are signed without a key: <c>ImageSigningKey=keyless</c>, and the services that it needs.</summary>
internal static class KeylessReader
{
    private const string Word = "keyless";
    private const string Property = "ImageSigningKey";

    // As cosign reads it: GitLab gets it there by 'id_tokens'.
    private const string UsualVariable = "SIGSTORE_ID_TOKEN";

    public static bool IsKeyless(string source) =>
        source.Equals(Word, StringComparison.OrdinalIgnoreCase) || source.StartsWith($"{Word}:", StringComparison.OrdinalIgnoreCase);

    /// <exception cref="ImagePublishException"><c>IMG6040</c>: there is no token; <c>IMG6016</c>: the trusted root can't be
    /// used.</exception>
    public static SigningRequest Read(string source, ISigningInputs inputs, SignatureFormat? format)
    {
        if (format?.HasFlag(SignatureFormat.Notation) == true)
            throw InputParser.Invalid(
                "ImageSignatureFormat",
                inputs.SignatureFormat ?? "",
                "keyless signatures are for sigstore, not for Notation. Remove it, or sign with a key"
            );
        var keyless = new KeylessRequest(FindSource(source), ReadRoot(inputs))
        {
            Config = ReadConfig(inputs),
            Authority = ReadUrl("ImageFulcioUrl", inputs.FulcioUrl),
            Log = ReadUrl("ImageRekorUrl", inputs.RekorUrl),
            TimeStamps = ReadUrl("ImageTimeStampUrl", inputs.TimeStampUrl),
        };
        // At the tag each name of the image is an entry of the log more.
        return new SigningRequest(null, format ?? SignatureFormat.Bundle) { Keyless = keyless };
    }

    private static IdentityTokenSource FindSource(string source)
    {
        if (source.Length > Word.Length)
            return ReadVariable(source[(Word.Length + 1)..].Trim())
                ?? throw Missing(
                    $"the environment variable '{source[(Word.Length + 1)..].Trim()}' is not set. Set it to an identity token"
                );
        if (ReadVariable(UsualVariable) is { } usual)
            return usual;
        if (
            InputParser.Optional(TaskEnvironment.Variable("ACTIONS_ID_TOKEN_REQUEST_URL")) is { } url
            && InputParser.Optional(TaskEnvironment.Variable("ACTIONS_ID_TOKEN_REQUEST_TOKEN")) is { } token
        )
        {
            BuildSession.Redactor.Add(token);
            return new IdentityTokenSource
            {
                Name = "GitHub",
                Service = new TokenService(url, token),
                Identity = TaskEnvironment.Variable("GITHUB_WORKFLOW_REF") ?? "",
            };
        }

        throw TaskEnvironment.Variable("GITHUB_ACTIONS") == "true"
            ? Missing("GitHub gives this job none. Add 'permissions: id-token: write' to the job, and 'contents: read'")
            : Missing(
                $"{UsualVariable} is not set, and there is no service of GitHub for it. In GitLab, add an entry of that name to "
                    + "'id_tokens' with 'aud: sigstore'; elsewhere, set it to a token of an issuer that Fulcio knows"
            );
    }

    private static IdentityTokenSource? ReadVariable(string name)
    {
        if (InputParser.Optional(TaskEnvironment.Variable(name)) is not { } value)
            return null;
        BuildSession.Redactor.Add(value);
        return new IdentityTokenSource
        {
            Name = $"the environment variable '{name}'",
            Value = value,
            Identity = IdentityToken.Describe(value),
        };
    }

    private static SigstoreRoot ReadRoot(ISigningInputs inputs) =>
        InputParser.Optional(inputs.SigstoreRoot) is { } path
            ? InputParser.Named("ImageSigstoreRoot", inputs.ResolvePath(path), KeylessPolicyReader.ReadRootFile)
            : SigstoreRoot.PublicGood;

    private static SigningConfig? ReadConfig(ISigningInputs inputs) =>
        InputParser.Optional(inputs.SigstoreSigningConfig) is { } path
            ? InputParser.Named("ImageSigstoreSigningConfig", inputs.ResolvePath(path), SigningConfig.ReadFile)
            : null;

    internal static RequestUrl? ReadUrl(string property, string? text)
    {
        if (InputParser.Optional(text) is not { } address)
            return null;
        return RequestUrl.TryParse(address, out var url)
            ? url
            : throw InputParser.Invalid(property, address, "expected the address of a service, as https://fulcio.example.com");
    }

    private static ImagePublishException Missing(string reason) =>
        new(
            DiagnosticCodes.IdentityTokenMissing,
            $"{Property}: Images can't be signed without a key, since there is no identity token: {reason}."
        );
}

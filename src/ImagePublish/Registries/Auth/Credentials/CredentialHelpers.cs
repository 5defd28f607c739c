using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.RegularExpressions;
using ImagePublish.Common;
using ImagePublish.Diagnostics;

namespace ImagePublish.Registries.Auth.Credentials;

/// <summary>Docker's credential helpers: programs that keep credentials in a key ring or get them from a cloud.</summary>
/// <remarks><see href="https://github.com/docker/docker-credential-helpers#development">docker-credential-helpers</see>. What one answered
/// is kept: they are slow, and a build asks often.</remarks>
internal sealed partial class CredentialHelpers(CredentialEnvironment environment)
{
    private const string NotFound = "credentials not found";
    private const string TokenUser = "<token>";
    private const int LargestOutput = 64 * 1024;

    private readonly ConcurrentDictionary<(string, string), Credential?> answers = new();
    private readonly SingleFlight<(string, string), Credential?> questions = new();

    /// <summary>Asks a helper for a registry's credential.</summary>
    /// <exception cref="ImagePublishException"><c>IMG5002</c>: the helper is missing, fails, hangs or answers nonsense.</exception>
    public async ValueTask<Credential?> GetAsync(string name, string server, CancellationToken ct)
    {
        if (answers.TryGetValue((name, server), out var known))
            return known;
        var answer = await questions.RunAsync((name, server), stop => AskAsync(name, server, stop), ct);
        return answers.GetOrAdd((name, server), answer);
    }

    /// <summary>Gives a credential to a helper to keep.</summary>
    /// <exception cref="ImagePublishException">As <see cref="GetAsync"/>.</exception>
    public async Task StoreAsync(string name, string server, Credential credential, CancellationToken ct)
    {
        var isToken = credential.IdentityToken is { Length: > 0 };
        using var json = new MemoryStream();
        await using (var writer = new Utf8JsonWriter(json))
        {
            writer.WriteStartObject();
            writer.WriteString("ServerURL", server);
            writer.WriteString("Username", isToken ? TokenUser : credential.Username ?? "");
            writer.WriteString("Secret", isToken ? credential.IdentityToken : credential.Password ?? "");
            writer.WriteEndObject();
        }

        var result = await RunAsync(name, "store", json.ToArray(), ct);
        answers.Clear();
        if (result.ExitCode != 0)
            throw Failed(name, $"can't store the credential: {DescribeAnswer(result, credential)}");
    }

    /// <summary>Makes a helper forget a registry's credential.</summary>
    /// <exception cref="ImagePublishException">As <see cref="GetAsync"/>.</exception>
    public async Task<bool> EraseAsync(string name, string server, CancellationToken ct)
    {
        var result = await RunAsync(name, "erase", System.Text.Encoding.UTF8.GetBytes(server), ct);
        answers.Clear();
        if (result.ExitCode != 0 && !IsNotFound(result))
            throw Failed(name, $"can't delete the credential: {DescribeAnswer(result, null)}");
        return result.ExitCode == 0;
    }

    private static bool IsNotFound(ProgramResult result) => result.Text.Contains(NotFound, StringComparison.OrdinalIgnoreCase);

    // The first line, unless it may be the answer itself.
    private static string DescribeAnswer(ProgramResult result, Credential? credential)
    {
        var redactor = new Redactor();
        credential?.AddTo(redactor);
        var line = redactor.Redact(result.Text).TrimStart().Split('\n')[0].TrimEnd();
        var mayBeSecret = line.Contains('{', StringComparison.Ordinal) || line.Contains("Secret", StringComparison.OrdinalIgnoreCase);
        return line.Length == 0 || mayBeSecret ? FormattableString.Invariant($"it ended with {result.ExitCode}.") : Text.Sanitize(line);
    }

    internal static Credential? Read(string name, ProgramResult result)
    {
        try
        {
            using var json = Json.Parse(result.Output);
            var root = json.RootElement;
            if (root.ValueKind != JsonValueKind.Object)
                throw Failed(name, "returned something that is not a credential.");
            var (username, secret) = (Json.Text(root, "Username"), Json.Text(root, "Secret"));
            if (secret is null)
                return null;
            return username == TokenUser ? new Credential { IdentityToken = secret } : Credential.Create(username ?? "", secret);
        }
        catch (JsonException)
        {
            // Without the cause: it may quote the answer.
            throw Failed(name, "returned something that is not a credential.");
        }
    }

    private static ImagePublishException Failed(string name, string what, Exception? cause = null) =>
        new(DiagnosticCodes.CredentialsUnusable, $"The credential helper docker-credential-{Text.Sanitize(name)} {what}", cause);

    [GeneratedRegex(@"\A[A-Za-z0-9._-]+\z")]
    private static partial Regex NamePattern();

    private async Task<Credential?> AskAsync(string name, string server, CancellationToken ct)
    {
        var result = await RunAsync(name, "get", System.Text.Encoding.UTF8.GetBytes(server), ct);
        if (result.ExitCode == 0)
            return Read(name, result);
        return IsNotFound(result) ? null : throw Failed(name, $"fails for {Text.Sanitize(server)}: {DescribeAnswer(result, null)}");
    }

    private async Task<ProgramResult> RunAsync(string name, string verb, byte[] input, CancellationToken ct)
    {
        if (!NamePattern().IsMatch(name))
            throw Failed(name, "is not used: its name may have only letters, digits, '.', '_' and '-'.");
        var program = Programs.Find($"docker-credential-{name}", environment.Set("PATH"), environment.IsWindows)
            ?? throw Failed(
                name,
                "is configured but not found on the PATH. Install it, or remove it from docker's config file (credsStore, credHelpers)."
            );
        try
        {
            return await Programs.RunAsync(
                new ProgramStart(program, [verb])
                {
                    Secrets = ProgramSecrets.CredentialHelper,
                    WriteInputAsync = (stream, stop) => stream.WriteAsync(input, stop).AsTask(),
                    TimeLimit = environment.HelperTimeout,
                    MaxOutput = LargestOutput,
                },
                ct
            );
        }
        catch (TimeoutException exception)
        {
            throw Failed(
                name,
                FormattableString.Invariant($"gave no answer in {environment.HelperTimeout.TotalSeconds:0.#} seconds and was ended."),
                exception
            );
        }
        catch (Exception exception) when (exception is IOException or System.ComponentModel.Win32Exception or InvalidOperationException)
        {
            throw Failed(name, $"can't be run: {Text.Sanitize(exception.Message)}", exception);
        }
    }
}

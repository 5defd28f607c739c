using System.ComponentModel;
using System.Text.Json;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Trust;

namespace ImagePublish.Signing;

/// <summary>A program that gets a JSON object on its standard input for each question, answers with one on its standard output, and
/// ends.</summary>
/// <param name="file">Its full path.</param>
/// <param name="fail">Creates what is reported where it can't be used.</param>
internal sealed class JsonProgram(string file, Redactor redactor, Func<string, Exception?, ImagePublishException> fail)
{
    private const int MaxExplanation = 1000;

    public TimeSpan TimeLimit { get; init; } = TimeSpan.FromMinutes(1);

    public int MaxAnswer { get; init; } = 64 * 1024;

    /// <summary>Asks it, and reads its answer.</summary>
    /// <param name="question">What the question is called, in messages.</param>
    /// <param name="write">Writes the properties of the question's object.</param>
    public async Task<T> AskAsync<T>(
        string question,
        IReadOnlyList<string> arguments,
        Action<Utf8JsonWriter> write,
        Func<JsonElement, T> read,
        CancellationToken cancellationToken
    )
    {
        var request = OciJson.Write(json =>
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        });
        var result = await RunAsync(arguments, request, cancellationToken);
        if (result.ExitCode != 0)
            throw fail($"it ends with {result.ExitCode} when asked for '{question}': {Explain(result)}", null);
        try
        {
            using var answer = JsonDocument.Parse(
                result.Output,
                new JsonDocumentOptions { MaxDepth = 8, AllowDuplicateProperties = false }
            );
            return read(answer.RootElement);
        }
        catch (RefusedSignatureException exception)
        {
            throw fail($"its answer to '{question}' is not what is asked for: {exception.Message}. {Explain(result)}", exception);
        }
        catch (Exception exception)
            when (exception is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw fail($"its answer to '{question}' is not the JSON that is asked for. {Explain(result)}", exception);
        }
    }

    private async Task<ProgramResult> RunAsync(IReadOnlyList<string> arguments, byte[] request, CancellationToken cancellationToken)
    {
        try
        {
            return await Programs.RunAsync(
                new ProgramStart(file, arguments)
                {
                    // It signs in to a service with what it finds there.
                    Secrets = ProgramSecrets.CredentialHelper,
                    WriteInputAsync = (stream, stop) => stream.WriteAsync(request, stop).AsTask(),
                    TimeLimit = TimeLimit,
                    MaxOutput = MaxAnswer,
                },
                cancellationToken
            );
        }
        catch (TimeoutException exception)
        {
            throw fail(FormattableString.Invariant($"it gave no answer in {TimeLimit.TotalSeconds:0} seconds and was ended"), exception);
        }
        catch (Exception exception) when (exception is IOException or Win32Exception or InvalidOperationException)
        {
            throw fail($"it can't be run ({Text.Sanitize(exception.Message).TrimEnd('.')})", exception);
        }
    }

    private string Explain(ProgramResult result)
    {
        var shown = redactor.Shown(ReadError(result.Errors.Trim())).Trim();
        return shown.Length == 0 ? "It writes nothing to its error output"
            : shown.Length <= MaxExplanation ? $"'{shown}'"
            : $"'{shown[..MaxExplanation]}…'";
    }

    // Plugins of notation write their errors in JSON.
    private static string ReadError(string errors)
    {
        try
        {
            if (!errors.StartsWith('{'))
                return errors;
            using var error = JsonDocument.Parse(errors, new JsonDocumentOptions { MaxDepth = 8 });
            string?[] parts =
            [
                error.RootElement.GetProperty("errorCode").GetString(),
                error.RootElement.GetProperty("errorMessage").GetString(),
            ];
            return string.Join(": ", parts);
        }
        catch (Exception exception) when (exception is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return errors;
        }
    }
}

using System.Security.Cryptography;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using ImagePublish.Common;
using ImagePublish.Diagnostics;

namespace ImagePublish.Registries.Auth.Credentials;

/// <summary>Changes docker's config file as docker does: what is unknown stays, owner and mode stay, and it is replaced as a whole or not
/// at all. A new file is its user's alone.</summary>
internal static class ConfigFile
{
    private const int MostTries = 400;

    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(10);

    // Docker's formatting: tabs, and only the escapes that JSON needs.
    private static readonly JsonWriterOptions Format = new()
    {
        Indented = true,
        IndentCharacter = '\t',
        IndentSize = 1,
        NewLine = "\n",
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = 64 };

    /// <summary>Changes a file, one process after the other.</summary>
    /// <exception cref="ImagePublishException"><c>IMG5002</c>: it is malformed or can't be written; <c>IMG3110</c>: another process keeps
    /// it locked.</exception>
    public static async Task<bool> UpdateAsync(string path, Func<JsonObject, bool> change, IPublishLog? log, CancellationToken ct)
    {
        try
        {
            var target = new FileInfo(path).LinkTarget is null ? path : File.ResolveLinkTarget(path, returnFinalTarget: true)!.FullName;
            PrivateFiles.CreateFolder(Path.GetDirectoryName(Path.GetFullPath(target))!);
            var request = new FileLockRequest(Path.GetFullPath(target) + ".lock", $"changes '{path}'", LongestWait)
            {
                Options = FileLockOptions.Temporary,
                Log = log,
            };
            using var held = await FileLock.RequireAsync(request, DiagnosticCodes.Locked, ct);
            for (var tries = 0; ; tries++)
            {
                var before = Read(target);
                var root = Parse(before, path);
                if (!change(root))
                    return false;
                // Docker and podman acquire no lock: if one wrote in the meantime, start from what it wrote.
                if (TryReplace(target, before, root, isLast: tries == MostTries))
                    return true;
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw new ImagePublishException(
                DiagnosticCodes.CredentialsUnusable,
                $"{path} can't be written: {Text.Sanitize(exception.Message)}",
                exception
            );
        }
    }

    private static byte[] Read(string path) => File.Exists(path) ? File.ReadAllBytes(path) : [];

    private static JsonObject Parse(byte[] utf8, string path)
    {
        if (utf8.Length == 0)
            return [];
        try
        {
            return JsonNode.Parse(Json.WithoutMark(utf8).Span, documentOptions: Strict) as JsonObject ?? throw new JsonException();
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            throw new ImagePublishException(
                DiagnosticCodes.CredentialsUnusable,
                $"{path} can't be changed: it is not a JSON object, or has a property twice. Fix it first."
            );
        }
    }

    private static bool TryReplace(string path, byte[] before, JsonObject root, bool isLast)
    {
        var beside = $"{path}.{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8))}.tmp";
        try
        {
            using (
                var file = PrivateFiles.Open(
                    beside,
                    new FileStreamOptions
                    {
                        Mode = FileMode.CreateNew,
                        Access = FileAccess.ReadWrite,
                        Share = FileShare.None,
                    }
                )
            )
            {
                using (var writer = new Utf8JsonWriter(file, Format))
                    root.WriteTo(writer);
                file.Flush(flushToDisk: true);
            }

            if (!OperatingSystem.IsWindows() && File.Exists(path))
                UnixOwnership.Copy(path, beside);
            if (!isLast && !Read(path).AsSpan().SequenceEqual(before))
                return false;
            File.Move(beside, path, overwrite: true);
            return true;
        }
        finally
        {
            File.Delete(beside);
        }
    }
}

using System.Security.Cryptography;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;

namespace ImagePublish.Registries.Auth;

/// <summary>Changes docker's config file as docker does: what is unknown stays, owner and mode stay, and it is replaced as a whole or not at all. A new file is its user's alone.</summary>
internal static class ConfigFile
{
    private const UnixFileMode OwnFile = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode OwnFolder = OwnFile | UnixFileMode.UserExecute;
    private const int MostTries = 400;
    private const int WindowsSharingViolation = unchecked((int)0x80070020);
    private const int LinuxWouldBlock = 11;
    private const int MacWouldBlock = 35;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(25);

    // Docker's formatting: tabs, and only the escapes that JSON needs.
    private static readonly JsonWriterOptions Format = new() { Indented = true, IndentCharacter = '\t', IndentSize = 1, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = 64 };

    /// <summary>Changes a file, one process after the other.</summary>
    /// <param name="path">The file, which need not exist; a link is followed.</param>
    /// <param name="change">Makes the change and says whether there was one.</param>
    /// <param name="ct">Stops it.</param>
    /// <returns>Whether the file was changed.</returns>
    /// <exception cref="ImagePublishException"><c>IMG5002</c>: it is malformed or can't be written.</exception>
    public static async Task<bool> UpdateAsync(string path, Func<JsonObject, bool> change, CancellationToken ct)
    {
        try
        {
            var target = new FileInfo(path).LinkTarget is null ? path : File.ResolveLinkTarget(path, returnFinalTarget: true)!.FullName;
            CreateFolder(Path.GetDirectoryName(Path.GetFullPath(target))!);
            await using var turn = await WaitForTurnAsync(target + ".lock", ct);
            for (var tries = 0; ; tries++)
            {
                var before = Read(target);
                var root = Parse(before, path);
                if (!change(root))
                    return false;
                // Docker and podman take no turns: if one wrote in the meantime, start from what it wrote.
                if (TryReplace(target, before, root, isLast: tries == MostTries))
                    return true;
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            throw new ImagePublishException(DiagnosticCodes.CredentialsUnusable, $"{path} can't be written: {Text.Shown(exception.Message)}", exception);
        }
    }

    private static void CreateFolder(string folder)
    {
        if (Directory.Exists(folder))
            return;
        if (OperatingSystem.IsWindows())
            Directory.CreateDirectory(folder);
        else
            Directory.CreateDirectory(folder, OwnFolder);
    }

    private static async Task<FileStream> WaitForTurnAsync(string path, CancellationToken ct)
    {
        for (var tries = 1; ; tries++)
        {
            try
            {
                return new FileStream(path, Options(FileMode.OpenOrCreate, FileOptions.DeleteOnClose));
            }
            catch (Exception exception) when (tries < MostTries && IsTaken(exception))
            {
                await Task.Delay(Pause, ct);
            }
        }
    }

    // A lock that is held, and on Windows also one that is just being let go. Whatever else is wrong is wrong for good.
    private static bool IsTaken(Exception exception) => OperatingSystem.IsWindows()
        ? exception is UnauthorizedAccessException || exception.HResult == WindowsSharingViolation
        : exception is IOException { HResult: LinuxWouldBlock or MacWouldBlock };

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
            throw new ImagePublishException(DiagnosticCodes.CredentialsUnusable, $"{path} can't be changed: it is not a JSON object, or has a property twice. Fix it first.");
        }
    }

    private static bool TryReplace(string path, byte[] before, JsonObject root, bool isLast)
    {
        var beside = $"{path}.{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8))}.tmp";
        try
        {
            using (var file = new FileStream(beside, Options(FileMode.CreateNew, FileOptions.None)))
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

    private static FileStreamOptions Options(FileMode mode, FileOptions options)
    {
        var stream = new FileStreamOptions { Mode = mode, Access = FileAccess.ReadWrite, Share = FileShare.None, Options = options };
        if (!OperatingSystem.IsWindows())
            stream.UnixCreateMode = OwnFile;
        return stream;
    }
}

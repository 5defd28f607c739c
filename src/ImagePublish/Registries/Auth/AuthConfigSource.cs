using System.Text;
using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;

namespace ImagePublish.Registries.Auth;

/// <summary>Credentials of one document: its helpers first, then what stands in it.</summary>
internal sealed class AuthConfigSource : ICredentialSource
{
    private const int LargestFile = 8 * 1024 * 1024;

    private readonly Lazy<AuthConfig?> config;
    private readonly CredentialHelpers helpers;

    private AuthConfigSource(Func<AuthConfig?> read, CredentialHelpers helpers) => (config, this.helpers) = (new(read), helpers);

    /// <summary>The document in an environment variable.</summary>
    public static AuthConfigSource OfVariable(string name, CredentialEnvironment environment, CredentialHelpers helpers) =>
        new(
            () =>
                environment.Set(name) is { } text
                    ? AuthConfig.Parse(Encoding.UTF8.GetBytes(text), $"The environment variable {name}")
                    : null,
            helpers
        );

    /// <summary>The document in a file, which need not exist.</summary>
    public static AuthConfigSource OfFile(string path, CredentialHelpers helpers) => new(() => Read(path), helpers);

    /// <summary>Reads a file.</summary>
    /// <exception cref="ImagePublishException"><c>IMG5002</c>: it can't be read or is malformed.</exception>
    public static AuthConfig? Read(string path)
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            if (file.Length > LargestFile)
                throw new IOException("it is too large");
            var bytes = new byte[file.Length];
            var length = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            return length == 0 ? null : AuthConfig.Parse(bytes.AsMemory(0, length), path);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (Exception exception)
            when (exception is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
        {
            throw new ImagePublishException(
                DiagnosticCodes.CredentialsUnusable,
                $"{path} can't be read for credentials: {Text.Sanitize(exception.Message)}",
                exception
            );
        }
    }

    public async ValueTask<Credential?> FindAsync(Registry registry, string? repository, CancellationToken ct)
    {
        if (this.config.Value is not { } config)
            return null;
        if (config.Helper(registry, repository) is var (name, servers))
        {
            foreach (var server in servers)
            {
                if (await helpers.GetAsync(name, server, ct) is { } credential)
                    return credential;
            }
        }

        return config.Find(registry, repository);
    }
}

using ImagePublish.Common;
using ImagePublish.Diagnostics;
using ImagePublish.Requests;
using ImagePublish.Signing;
using ImagePublish.Signing.Notation;
using ImagePublish.Tasks.Shared;
using ImagePublish.Trust;

namespace ImagePublish.Tasks;

/// <summary>Reads how images are signed for Notation: with certificates for the key of <c>ImageSigningKey</c>, or by a plugin.</summary>
internal sealed class NotationReader(ISigningInputs inputs, string envelope)
{
    private const string PluginPrefix = "notation:";
    private const string FilePrefix = "notation-";
    private const string KeyProperty = "ImageSigningKey";
    private const string CertificateProperty = "ImageSigningCertificate";

    public static bool IsPlugin(string source) => source.StartsWith(PluginPrefix, StringComparison.OrdinalIgnoreCase);

    /// <summary>Reads the certificates of a key.</summary>
    /// <exception cref="ImagePublishException"><c>IMG6050</c>: Notation would refuse what is signed with them.</exception>
    public NotationRequest ReadCertificates(Signer key)
    {
        var source = InputParser.Optional(inputs.SigningCertificate)
            ?? throw InputParser.Invalid(
                "ImageSignatureFormat",
                "Notation",
                $"a Notation signature has certificates. Name the file of them in {CertificateProperty}"
            );
        var certificates = InputParser.Named(CertificateProperty, source, text =>
        {
            var (name, pem) = ReadText(text);
            var read = SigningCertificates.Parse(name, pem, TimeProvider.System.GetUtcNow());
            // What a program has is known when it is asked.
            if (key is SigningKey { Public: var own })
                read.RequireKey(own);
            return read;
        });
        return Create() with { Key = new CertifiedKey(key, certificates) };
    }

    /// <summary>Reads a plugin and what it calls the key.</summary>
    /// <exception cref="ImagePublishException"><c>IMG6051</c>: it is not found.</exception>
    public NotationRequest ReadPlugin(string source)
    {
        if (InputParser.Optional(inputs.SigningCertificate) is { } certificate)
            throw InputParser.Invalid(CertificateProperty, certificate, "a plugin has the certificates of its key. Leave it out");
        var parts = source[PluginPrefix.Length..].Split(' ', 2, StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        if (parts is not [var name, var keyId])
            throw NotationPlugin.Unusable(
                parts.Length > 0 ? parts[0] : "",
                $"name the plugin and its key in {KeyProperty}, as in notation:azure-kv https://vault.example.com/keys/signing/1"
            );
        var file = InputParser.Named(KeyProperty, name, FindPlugin);
        return Create() with { Plugin = new NotationPlugin(file, new PluginKey(keyId) { Config = ReadConfig() }, BuildSession.Redactor) };
    }

    private NotationRequest Create() =>
        new() { Envelope = envelope, TimeStamps = KeylessReader.ReadUrl("ImageTimeStampUrl", inputs.TimeStampUrl) };

    private (string Name, string Pem) ReadText(string source)
    {
        if (source.Contains("-----BEGIN", StringComparison.Ordinal))
            throw SigningCertificates.Unusable("its value", "name a file or an environment variable, as in env:SIGNING_CERTIFICATE");
        if (!SigningReader.IsVariable(source, out var variable))
            return ($"'{source}'", SigningCertificates.ReadFile(inputs.ResolvePath(source)));
        return InputParser.Optional(TaskEnvironment.Variable(variable)) is { } pem
            ? ($"the environment variable '{variable}'", pem)
            : throw SigningCertificates.Unusable($"the environment variable '{variable}'", "it is not set");
    }

    private string FindPlugin(string name)
    {
        if (name.AsSpan().ContainsAny('/', '\\'))
            return inputs.ResolvePath(name) is var path && File.Exists(path)
                ? path
                : throw NotationPlugin.Unusable(name, "there is no such file");
        var installed = Path.Combine(PluginFolder, name, OperatingSystem.IsWindows() ? $"{FilePrefix}{name}.exe" : $"{FilePrefix}{name}");
        // As the specification wants: a link would let somebody else decide.
        if (new FileInfo(installed) is { Exists: true, LinkTarget: null })
            return installed;
        return Programs.Find($"{FilePrefix}{name}")
            ?? throw NotationPlugin.Unusable(
                name,
                $"it is neither '{installed}' nor a program {FilePrefix}{name} on the PATH. Install it, or name its path, relative to the "
                    + "project"
            );
    }

    private static string PluginFolder =>
        Path.Combine(
            (OperatingSystem.IsLinux() ? InputParser.Optional(TaskEnvironment.Variable("XDG_CONFIG_HOME")) : null)
                ?? Environment.GetFolderPath(Environment.SpecialFolder.ApplicationData, Environment.SpecialFolderOption.DoNotVerify),
            "notation",
            "plugins"
        );

    private List<KeyValuePair<string, string>> ReadConfig()
    {
        const string Property = "ImageSigningPluginConfig";
        var config = new List<KeyValuePair<string, string>>();
        var entries = (inputs.SigningPluginConfig ?? "").Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        foreach (var entry in entries)
        {
            var at = entry.IndexOf('=', StringComparison.Ordinal);
            if (at < 1 || config.Exists(one => one.Key == entry[..at]))
                throw InputParser.Invalid(Property, entry, "expected name=value, divided by ';', and each name once");
            config.Add(KeyValuePair.Create(entry[..at], entry[(at + 1)..]));
        }

        return config;
    }
}

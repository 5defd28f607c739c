namespace ImagePublish.Tasks;

/// <summary>What images are signed with, for tasks that publish and for commands alike.</summary>
internal interface ISigningInputs
{
    string? SigningKey { get; }

    string? SigningCertificate { get; }

    string? SigningPluginConfig { get; }

    string? SignatureFormat { get; }

    string? SigstoreRoot { get; }

    string? SigstoreSigningConfig { get; }

    string? FulcioUrl { get; }

    string? RekorUrl { get; }

    string? TimeStampUrl { get; }

    /// <summary>The full path of a path that may be relative to the project.</summary>
    string ResolvePath(string path);
}

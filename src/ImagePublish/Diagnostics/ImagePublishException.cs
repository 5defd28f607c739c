namespace ImagePublish.Diagnostics;

/// <summary>A failure that a user can understand and fix; the message has one line.</summary>
/// <remarks>The message says what failed, where, what the other side answered and what to do; it never contains a secret.</remarks>
internal class ImagePublishException(DiagnosticCode code, string message, Exception? innerException = null)
    : Exception(message, innerException)
{
    public DiagnosticCode Code { get; } = code;

    /// <summary>The item of the project that is to blame; null where it is none.</summary>
    public ItemSource? Item { get; init; }

    /// <summary>Whether the message says what had been changed that other people see.</summary>
    public bool TellsChanges { get; init; }
}

/// <summary>The item of a project that something comes from, so that a message can name it and the place where it stands.</summary>
/// <param name="File">The full path of the project file that defines it; null where that is not known.</param>
internal sealed record ItemSource(string Kind, string Spec, string? File)
{
    /// <summary>The other metadata, which differs between items with the same identity.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; init; } = new Dictionary<string, string>();

    public override string ToString() => $"{Kind} '{Spec}'";
}

namespace ImagePublish.Diagnostics;

/// <summary>A failure that a user can understand and fix, in one line.</summary>
/// <remarks>The message says what failed, where, what the other side said and what to do; it never holds a secret.</remarks>
internal class ImagePublishException(DiagnosticCode code, string message, Exception? innerException = null)
    : Exception(message, innerException)
{
    /// <summary>The failure's code.</summary>
    public DiagnosticCode Code { get; } = code;

    /// <summary>The item of the project that is to blame; null where it is none.</summary>
    public ItemSource? Item { get; init; }

    /// <summary>Whether the message says what had been changed that other people see.</summary>
    public bool TellsChanges { get; init; }
}

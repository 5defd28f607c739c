namespace ImagePublish.Diagnostics;

/// <summary>A failure that a user can understand and mend, told in one line.</summary>
/// <remarks>The message says what failed, where, what the other side said and what to do; it never holds a secret.</remarks>
/// <param name="code">The failure's code.</param>
/// <param name="message">One line, without the code.</param>
/// <param name="innerException">What caused it, for diagnosis only: it is never shown.</param>
public class ImagePublishException(DiagnosticCode code, string message, Exception? innerException = null) : Exception(message, innerException)
{
    /// <summary>The failure's code.</summary>
    public DiagnosticCode Code { get; } = code;

    /// <summary>The item of the project that is to blame; null where it is none.</summary>
    public ItemSource? Item { get; init; }

    /// <summary>Whether the message says what had been changed that other people see.</summary>
    public bool TellsChanges { get; init; }
}

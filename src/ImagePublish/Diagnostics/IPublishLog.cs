namespace ImagePublish.Diagnostics;

/// <summary>What the core reports. It may be called from several threads at once.</summary>
internal interface IPublishLog
{
    /// <summary>A problem that the user should fix, although the image was made.</summary>
    void Warning(DiagnosticCode code, string message);

    /// <summary>Something worth a line in an ordinary build log.</summary>
    void Information(string message);

    /// <summary>Something worth a line only in a detailed build log.</summary>
    void Detail(string message);

    /// <summary>Whether a warning of this code fails the build. What such a warning is about is found before anything changes that other
    /// people see.</summary>
    bool IsError(DiagnosticCode code) => false;

    /// <summary>Something changed that other people see and that stays, whatever becomes of the rest of the work.</summary>
    void Changed(NameChange kind, string name) { }

    /// <summary>A layer is about to be compressed.</summary>
    void Building(string layer, long bytes) { }

    /// <summary>More of a layer is compressed.</summary>
    void Compressed(string layer, long bytes) { }

    /// <summary>A layer is compressed.</summary>
    void Built(string layer) { }

    /// <summary>What people call a blob.</summary>
    void NameBlob(string blob, string name) { }

    /// <summary>A blob is about to be sent, or to be taken into the local store.</summary>
    void Sending(string blob, long bytes) { }

    /// <summary>Bytes of a blob were sent, not counting those that are sent again.</summary>
    void Sent(string blob, long bytes) { }

    /// <summary>A blob arrived, or its transfer ended without success.</summary>
    void Settled(string blob) { }

    /// <summary>Something failed and is retried after a pause.</summary>
    void Waiting(string subject, TimeSpan pause, int next, int tries) { }
}

/// <summary>Warnings that may be errors.</summary>
internal static class WarningsAsErrors
{
    /// <summary>Warns, or fails where the warning would fail the build anyway: then the work ends before it changes what other people
    /// see.</summary>
    /// <exception cref="ImagePublishException">The warning is an error.</exception>
    public static void WarnOrFail(this IPublishLog log, DiagnosticCode code, string message)
    {
        if (log.IsError(code))
            throw new ImagePublishException(code, message);
        log.Warning(code, message);
    }
}

/// <summary>What happened to a name that other people see.</summary>
internal enum NameChange
{
    /// <summary>It points at an image now.</summary>
    Tagged,

    /// <summary>It is gone, with its image.</summary>
    Removed,
}

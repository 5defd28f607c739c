namespace ImagePublish.Diagnostics;

/// <summary>What the core reports. It may be called from several threads at once.</summary>
internal interface IPublishLog
{
    /// <summary>A problem that the user should fix, although the image was made.</summary>
    void Warning(DiagnosticCode code, string message);

    void Information(string message);

    void Detail(string message);

    /// <summary>Whether a warning of this code fails the build. What such a warning is about is found before anything changes that other
    /// people see.</summary>
    bool IsError(DiagnosticCode code) => false;

    /// <summary>Something changed that other people see and that stays, whatever becomes of the rest of the work.</summary>
    void Changed(NameChange kind, string name) { }

    /// <summary>A request is sent to a host.</summary>
    void Requested(string host) { }

    void Building(string layer, long bytes) { }

    void Compressed(string layer, long bytes) { }

    void Built(string layer) { }

    void NameBlob(string blob, string name) { }

    /// <summary>A blob is about to be sent, or to be taken into the local store.</summary>
    void Sending(string blob, long bytes) { }

    /// <summary>Bytes of a blob were sent, not counting those that are sent again.</summary>
    void Sent(string blob, long bytes) { }

    void Settled(string blob) { }

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
    Tagged,

    Removed,
}

namespace ImagePublish.Diagnostics;

/// <summary>Where the engine tells what it does. It may be called from several threads at once.</summary>
public interface IEngineLog
{
    /// <summary>Something the user should mend, although the image was made.</summary>
    /// <param name="code">Its code.</param>
    /// <param name="message">One line, without the code.</param>
    void Warning(DiagnosticCode code, string message);

    /// <summary>Something worth a line in an ordinary build log.</summary>
    /// <param name="message">One line.</param>
    void Information(string message);

    /// <summary>Something worth a line only in a detailed build log.</summary>
    /// <param name="message">One line.</param>
    void Detail(string message);

    /// <summary>Whether a warning of this code fails the build. What such a warning is about is found before anything changes that other people see.</summary>
    /// <param name="code">The code.</param>
    bool IsError(DiagnosticCode code) => false;

    /// <summary>Something changed that other people see and that stays, whatever becomes of the rest of the work.</summary>
    /// <param name="kind">What was done.</param>
    /// <param name="name">What it was done to, such as <c>ghcr.io/acme/shop:1.0</c>.</param>
    void Changed(NameChange kind, string name)
    {
    }

    /// <summary>A layer is about to be compressed.</summary>
    /// <param name="layer">Its name.</param>
    /// <param name="bytes">The bytes of its files.</param>
    void Building(string layer, long bytes)
    {
    }

    /// <summary>More of a layer is compressed.</summary>
    /// <param name="layer">Its name.</param>
    /// <param name="bytes">How many bytes more, headers included.</param>
    void Compressed(string layer, long bytes)
    {
    }

    /// <summary>A layer is compressed.</summary>
    /// <param name="layer">Its name.</param>
    void Built(string layer)
    {
    }

    /// <summary>What people call a blob.</summary>
    /// <param name="blob">Its digest.</param>
    /// <param name="name">Its name.</param>
    void Named(string blob, string name)
    {
    }

    /// <summary>A blob is about to be sent, or to be taken into the local store.</summary>
    /// <param name="blob">Its digest.</param>
    /// <param name="bytes">Its size.</param>
    void Sending(string blob, long bytes)
    {
    }

    /// <summary>Bytes of a blob were moved for the first time.</summary>
    /// <param name="blob">Its digest.</param>
    /// <param name="bytes">How many.</param>
    void Sent(string blob, long bytes)
    {
    }

    /// <summary>A blob is there, or was given up.</summary>
    /// <param name="blob">Its digest.</param>
    void Settled(string blob)
    {
    }

    /// <summary>Something failed and is tried again later.</summary>
    /// <param name="subject">A blob's digest, or the registry's host.</param>
    /// <param name="pause">How long from now.</param>
    /// <param name="next">Which try that is.</param>
    /// <param name="tries">How many there are at most.</param>
    void Waiting(string subject, TimeSpan pause, int next, int tries)
    {
    }
}

/// <summary>Warnings that may be errors.</summary>
public static class WarningsAsErrors
{
    /// <summary>Warns, or fails where the warning would fail the build anyway: then the work ends before it changes what other people see.</summary>
    /// <param name="log">The log.</param>
    /// <param name="code">The warning's code.</param>
    /// <param name="message">One line, without the code.</param>
    /// <exception cref="ImagePublishException">The warning is an error.</exception>
    public static void WarnOrFail(this IEngineLog log, DiagnosticCode code, string message)
    {
        if (log.IsError(code))
            throw new ImagePublishException(code, message);
        log.Warning(code, message);
    }
}

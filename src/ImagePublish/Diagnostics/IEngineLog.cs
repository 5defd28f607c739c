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

    /// <summary>A blob is about to be sent.</summary>
    /// <param name="bytes">Its size.</param>
    void Sending(long bytes)
    {
    }

    /// <summary>Bytes of a blob were sent for the first time.</summary>
    /// <param name="bytes">How many.</param>
    void Sent(long bytes)
    {
    }

    /// <summary>A layer is about to be compressed.</summary>
    /// <param name="layer">Its name.</param>
    /// <param name="bytes">The bytes of its files.</param>
    void Building(string layer, long bytes)
    {
    }

    /// <summary>A layer is compressed.</summary>
    /// <param name="layer">Its name.</param>
    void Built(string layer)
    {
    }
}

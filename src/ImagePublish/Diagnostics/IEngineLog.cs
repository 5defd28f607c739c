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
}

namespace ImagePublish.Testing;

/// <summary>Ends an answer in its middle.</summary>
public sealed class CutException() : Exception("The answer was cut on request.");

namespace ImagePublish.Diagnostics;

/// <summary>The item of a project that something comes from, so that a message can name it and the place where it stands.</summary>
/// <param name="File">The full path of the project file that defines it; null where that is not known.</param>
internal sealed record ItemSource(string Kind, string Spec, string? File)
{
    /// <summary>What it says besides, which tells items apart that include the same.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; init; } = new Dictionary<string, string>();

    public override string ToString() => $"{Kind} '{Spec}'";
}

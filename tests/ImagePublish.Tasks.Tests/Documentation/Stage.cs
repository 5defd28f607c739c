using System.Collections.ObjectModel;

namespace ImagePublish.Tasks.Tests.Documentation;

/// <summary>What a page takes for granted, made before its commands are typed. Passages are known by their first line.</summary>
public sealed record Stage
{
    /// <summary>The folder of a web app that the reader has, with the package; empty if the page makes it.</summary>
    public string Project { get; init; } = "Shop";

    /// <summary>Where the reader types.</summary>
    public string Folder { get; init; } = "Shop";

    /// <summary>Environment variables that the page says something of.</summary>
    public IReadOnlyDictionary<string, string> Variables { get; init; } = ReadOnlyDictionary<string, string>.Empty;

    /// <summary>Scripts that do what the page says in words; for output without a command, the command.</summary>
    public IReadOnlyDictionary<string, string> Before { get; init; } = ReadOnlyDictionary<string, string>.Empty;

    /// <summary>What is not typed, and why.</summary>
    public IReadOnlyDictionary<string, string> NotTyped { get; init; } = ReadOnlyDictionary<string, string>.Empty;
}

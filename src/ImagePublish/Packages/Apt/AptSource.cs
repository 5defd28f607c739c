using System.Text;

namespace ImagePublish.Packages.Apt;

/// <summary>One package source, read and checked: what is in here is written into a file for apt, and nothing else of what a base image says.</summary>
internal sealed record AptSource(IReadOnlyList<string> Addresses, IReadOnlyList<string> Suites, IReadOnlyList<string> Components)
{
    /// <summary>The architectures that it is for; none for all.</summary>
    public IReadOnlyList<string> Architectures { get; init; } = [];

    /// <summary>Keyrings, by their paths in the image, without a separator in front.</summary>
    public IReadOnlyList<string> Keyrings { get; init; } = [];

    /// <summary>Fingerprints of keys.</summary>
    public IReadOnlyList<string> Fingerprints { get; init; } = [];

    /// <summary>The lines of a key that is part of the source.</summary>
    public IReadOnlyList<string> InlineKey { get; init; } = [];

    /// <summary>What was left out, as it stands in the image: for the log.</summary>
    public IReadOnlyList<string> Ignored { get; init; } = [];

    /// <summary>The source as a paragraph of a <c>.sources</c> file.</summary>
    public string Write(Func<string, string> keyringPath)
    {
        var text = new StringBuilder("Types: deb\n");
        Append("URIs", Addresses);
        Append("Suites", Suites);
        Append("Components", Components);
        Append("Architectures", Architectures);
        Append("Signed-By", [.. Keyrings.Select(keyringPath), .. Fingerprints]);
        if (InlineKey.Count > 0)
            text.Append("Signed-By:\n").Append(string.Concat(InlineKey.Select(line => $" {line}\n")));
        return text.Append('\n').ToString();

        void Append(string name, IReadOnlyList<string> values)
        {
            if (values.Count > 0)
                text.Append(name).Append(": ").AppendJoin(' ', values).Append('\n');
        }
    }
}

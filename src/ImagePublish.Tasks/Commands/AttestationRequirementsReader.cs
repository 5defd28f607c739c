using ImagePublish.Attachments;
using ImagePublish.Commands;
using ImagePublish.Tasks.Shared;

namespace ImagePublish.Tasks.Commands;

/// <summary>Reads what must be attested of an image: <c>ImageRequiredAttestations</c>.</summary>
internal static class AttestationRequirementsReader
{
    private const string Property = "ImageRequiredAttestations";
    private const int CommitLength = 40;
    private const int LongCommitLength = 64;

    /// <summary>Reads words and claims, divided by <c>;</c>, <c>,</c> or white space; null where nothing is required.</summary>
    public static AttestationRequirements? Read(string? text)
    {
        var words = InputParser.Words(text);
        if (words.Length == 0)
            return null;
        var wanted = words.Aggregate(new AttestationRequirements(), Add);
        return wanted.Sbom || wanted.NeedsProvenance
            ? wanted
            : throw InputParser.Invalid(Property, text!, "'unsigned' alone requires nothing. Add sbom or provenance");
    }

    private static AttestationRequirements Add(AttestationRequirements wanted, string word)
    {
        var (name, value) = word.Split('=', 2) is [var left, var right] ? (left, right) : (word, "");
        return (name.ToLowerInvariant(), value) switch
        {
            ("sbom", "") => wanted with { Sbom = true },
            ("provenance", "") => wanted with { Provenance = true },
            ("unsigned", "") => wanted with { AcceptsUnsigned = true },
            ("builder", { Length: > 0 }) => wanted with { Builder = value },
            ("source", { Length: > 0 }) => wanted with { Source = AttestationClaims.Normalize(value) },
            ("commit", { Length: CommitLength or LongCommitLength }) when value.All(char.IsAsciiHexDigit) => wanted with { Commit = value },
            _ => throw InputParser.Invalid(
                Property,
                word,
                "expected sbom, provenance, unsigned, builder=ID, source=REPOSITORY, or commit= with all digits of a commit"
            ),
        };
    }
}

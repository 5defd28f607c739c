using System.Text.Json;
using ImagePublish.Oci;

namespace ImagePublish.Attachments;

/// <summary>An in-toto statement: what somebody claims of an image.</summary>
/// <remarks><see href="https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md">in-toto, Statement v1</see>.</remarks>
internal sealed record Statement(string PredicateType, MemoryBlobSource Blob)
{
    /// <summary>The largest that readers take, and that is written or read, in bytes.</summary>
    public const int MaxSize = 16 * 1024 * 1024;

    private const string Type = "https://in-toto.io/Statement/v1";

    /// <summary>Writes a statement without white space: the same arguments give the same bytes.</summary>
    /// <param name="subjects">What it is about, each with a name or without; all are the same image.</param>
    public static Statement Create(
        string predicateType,
        Digest image,
        IReadOnlyList<string?> subjects,
        Action<Utf8JsonWriter> writePredicate
    )
    {
        var bytes = OciJson.Write(json =>
        {
            json.WriteStartObject();
            json.WriteString("_type", Type);
            json.WriteStartArray("subject");
            foreach (var name in subjects)
            {
                json.WriteStartObject();
                if (name is not null)
                    json.WriteString("name", name);
                json.WriteStartObject("digest");
                json.WriteString(image.Algorithm, image.Hex);
                json.WriteEndObject();
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteString("predicateType", predicateType);
            json.WritePropertyName("predicate");
            writePredicate(json);
            json.WriteEndObject();
        });

        return new Statement(predicateType, MemoryBlobSource.Create(AttachmentTypes.InToto, bytes));
    }
}

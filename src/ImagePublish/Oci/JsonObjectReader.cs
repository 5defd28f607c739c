using System.Globalization;
using System.Text.Json;

namespace ImagePublish.Oci;

/// <summary>
/// Reads an object of a document, property by property. What is wrong is said in the document's own terms, with its place.
/// </summary>
/// <remarks>A serializer would make converters for each type first, which takes a publish 50 ms.</remarks>
internal sealed class JsonObjectReader
{
    private const string AString = "a string";
    private const string ADigest = "a digest such as sha256:…";
    private const string AWholeNumber = "a whole number";
    private const string AnObject = "an object";

    // For what is no item of a list.
    private const int NoIndex = -1;

    private readonly JsonElement element;
    private readonly string document;
    private readonly JsonObjectReader? parent;
    private readonly string name;
    private readonly int index;
    private readonly List<string> known = [];

    private JsonObjectReader(JsonElement element, string document, JsonObjectReader? parent = null, string name = "", int index = NoIndex)
    {
        (this.element, this.document, this.parent, this.name, this.index) = (element, document, parent, name, index);
        if (element.ValueKind != JsonValueKind.Object)
            throw Mismatch(element, Path, AnObject);
    }

    private string Path => parent?.PathOf(name, index) ?? "$";

    /// <summary>Reads a document.</summary>
    /// <param name="document">What the document is called in messages.</param>
    /// <exception cref="JsonException">It is malformed; the message says where, and what is expected there.</exception>
    public static T Read<T>(ReadOnlySpan<byte> json, string document, Func<JsonObjectReader, T> read)
    {
        try
        {
            return read(new JsonObjectReader(JsonSyntax.Parse(json, document), document));
        }
        catch (InvalidOperationException exception)
        {
            throw JsonSyntax.NotUnicode(document, exception);
        }
    }

    public string RequiredString(string property) => String(Require(property, AString), property);

    public string? OptionalString(string property) => Find(property) is { } value ? String(value, property) : null;

    public Digest RequiredDigest(string property) => Digest(Require(property, ADigest), property);

    public long RequiredInt64(string property) => Int64(Require(property, AWholeNumber), property);

    public long? OptionalInt64(string property) => Find(property) is { } value ? Int64(value, property) : null;

    public int? OptionalInt32(string property)
    {
        if (Find(property) is not { } value)
            return null;
        return value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number)
            ? number
            : throw Mismatch(value, PathOf(property), AWholeNumber);
    }

    public bool? OptionalBoolean(string property)
    {
        if (Find(property) is not { } value)
            return null;
        return value.ValueKind is JsonValueKind.True or JsonValueKind.False
            ? value.GetBoolean()
            : throw Mismatch(value, PathOf(property), "true or false");
    }

    public T RequiredObject<T>(string property, Func<JsonObjectReader, T> read) => Child(Require(property, AnObject), property, read);

    public T? OptionalObject<T>(string property, Func<JsonObjectReader, T> read)
        where T : class => Find(property) is { } value ? Child(value, property, read) : null;

    /// <summary>Reads a list that must be there. Go writes an empty one as <c>null</c>.</summary>
    public IReadOnlyList<T> RequiredObjects<T>(string property, Func<JsonObjectReader, T> read) =>
        element.TryGetProperty(property, out _) ? OptionalObjects(property, read) ?? [] : throw Missing(property);

    public IReadOnlyList<T>? OptionalObjects<T>(string property, Func<JsonObjectReader, T> read)
    {
        if (Find(property) is not { } value)
            return null;
        var objects = new List<T>();
        foreach (var item in Items(value, property, "a list"))
            objects.Add(Child(NotNull(item), property, read, objects.Count));
        return objects;
    }

    public IReadOnlyList<string>? OptionalStrings(string property)
    {
        if (Find(property) is not { } value)
            return null;
        var strings = new List<string>();
        foreach (var item in Items(value, property, "a list of strings"))
            strings.Add(String(NotNull(item), property, strings.Count));
        return strings;
    }

    public IReadOnlyList<Digest>? OptionalDigests(string property)
    {
        if (Find(property) is not { } value)
            return null;
        var digests = new List<Digest>();
        foreach (var item in Items(value, property, "a list"))
            digests.Add(Digest(NotNull(item), property, digests.Count));
        return digests;
    }

    /// <summary>Reads an object whose properties are strings.</summary>
    public IReadOnlyDictionary<string, string>? OptionalMap(string property)
    {
        if (Find(property) is not { } value)
            return null;
        var map = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var pair in Properties(value, property))
        {
            map[pair.Name] =
                NotNull(pair.Value).ValueKind == JsonValueKind.String
                    ? pair.Value.GetString()!
                    : throw Mismatch(pair.Value, JsonSyntax.Child(PathOf(property), pair.Name), AString);
        }

        return map;
    }

    /// <summary>Reads a set of strings as Go writes it: an object whose properties are empty objects.</summary>
    public IReadOnlyList<string>? OptionalSet(string property)
    {
        if (Find(property) is not { } value)
            return null;
        var names = new List<string>();
        foreach (var one in Properties(value, property))
            names.Add(one.Name);
        return names;
    }

    /// <summary>The properties that were not read, in the document's order.</summary>
    public IReadOnlyList<JsonField> Rest()
    {
        List<JsonField>? rest = null;
        foreach (var property in element.EnumerateObject())
        {
            if (!known.Exists(property.NameEquals))
                (rest ??= []).Add(new JsonField(property.Name, property.Value));
        }

        return rest ?? (IReadOnlyList<JsonField>)[];
    }

    private JsonElement? Find(string property)
    {
        known.Add(property);
        return element.TryGetProperty(property, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;
    }

    private JsonElement Require(string property, string expected)
    {
        known.Add(property);
        if (!element.TryGetProperty(property, out var value))
            throw Missing(property);
        return value.ValueKind != JsonValueKind.Null ? value : throw Mismatch(value, PathOf(property), expected);
    }

    private T Child<T>(JsonElement value, string property, Func<JsonObjectReader, T> read, int at = NoIndex) =>
        read(new JsonObjectReader(value, document, this, property, at));

    private string String(JsonElement value, string property, int at = NoIndex) =>
        value.ValueKind == JsonValueKind.String ? value.GetString()! : throw Mismatch(value, PathOf(property, at), AString);

    private Digest Digest(JsonElement value, string property, int at = NoIndex) =>
        value.ValueKind == JsonValueKind.String && Oci.Digest.TryParse(value.GetString(), out var digest)
            ? digest
            : throw Mismatch(value, PathOf(property, at), ADigest);

    private long Int64(JsonElement value, string property) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number)
            ? number
            : throw Mismatch(value, PathOf(property), AWholeNumber);

    private JsonElement.ArrayEnumerator Items(JsonElement value, string property, string expected) =>
        value.ValueKind == JsonValueKind.Array ? value.EnumerateArray() : throw Mismatch(value, PathOf(property), expected);

    private JsonElement.ObjectEnumerator Properties(JsonElement value, string property) =>
        value.ValueKind == JsonValueKind.Object ? value.EnumerateObject() : throw Mismatch(value, PathOf(property), AnObject);

    private JsonElement NotNull(JsonElement item) =>
        item.ValueKind != JsonValueKind.Null ? item : throw new JsonException($"the {document} has null in a list");

    private JsonException Missing(string property) => new($"the {document} has no {PathOf(property)}");

    private JsonException Mismatch(JsonElement value, string place, string expected) =>
        new(JsonSyntax.Mismatch(document, place, value, expected));

    // Put together after a failure only: for each value it would take more memory than the value.
    private string PathOf(string property, int at = NoIndex)
    {
        var child = JsonSyntax.Child(Path, property);
        return at == NoIndex ? child : string.Create(CultureInfo.InvariantCulture, $"{child}[{at}]");
    }
}

/// <summary>A property that the specification does not know. It is kept as it is.</summary>
internal sealed record JsonField(string Name, JsonElement Value);

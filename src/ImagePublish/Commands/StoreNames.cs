namespace ImagePublish.Commands;

/// <summary>Names in the local store: <c>repository:tag</c>.</summary>
internal static class StoreNames
{
    public static string Repository(string name) => Split(name).Repository;

    public static string? Tag(string name) => Split(name).Tag;

    private static (string Repository, string? Tag) Split(string name)
    {
        var rest = name.Split('@')[0];
        var colon = rest.LastIndexOf(':');
        return colon > rest.LastIndexOf('/') ? (rest[..colon], rest[(colon + 1)..]) : (rest, null);
    }
}

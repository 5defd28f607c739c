namespace ImagePublish.Testing;

/// <summary>What may be done with what: <c>repository:a/b:pull,push</c>.</summary>
public sealed record Grant(string Type, string Name, IReadOnlyList<string> Actions)
{
    /// <summary>Null when the text is no scope.</summary>
    public static Grant? Parse(string scope)
    {
        var (first, last) = (scope.IndexOf(':', StringComparison.Ordinal), scope.LastIndexOf(':'));
        return first < 0 || last <= first
            ? null
            : new(scope[..first], scope[(first + 1)..last], scope[(last + 1)..].Split(',', StringSplitOptions.RemoveEmptyEntries));
    }

    public bool Covers(Grant needed) =>
        Type == needed.Type && Name == needed.Name && needed.Actions.All(a => Actions.Contains(a) || Actions.Contains("*"));

    public override string ToString() => $"{Type}:{Name}:{string.Join(',', Actions)}";
}

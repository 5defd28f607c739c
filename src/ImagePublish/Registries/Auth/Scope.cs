using System.Buffers;
using System.Diagnostics.CodeAnalysis;

namespace ImagePublish.Registries.Auth;

/// <summary>What a token allows: <c>repository:acme/shop:pull,push</c>.</summary>
/// <remarks><see href="https://distribution.github.io/distribution/spec/auth/scope/">distribution, token scope</see>.</remarks>
/// <param name="Actions">What may be done with it, divided by commas; kept in order and without repetition.</param>
internal sealed record Scope(string Type, string Name, string Actions)
{
    private const string RepositoryType = "repository";

    // Scopes are compared with each other, and a registry names one or two.
    private const int MaxListed = 32;

    private static readonly SearchValues<char> NotInScopes = SearchValues.Create(" \t\r\n\"\\");

    public string Actions { get; } = Canonical(Actions);

    /// <summary>The repository's name, or null where it is about something else.</summary>
    public string? RepositoryName => Type == RepositoryType ? Name : null;

    /// <summary>Whether no more is wanted than what a registry may let everybody do.</summary>
    public static bool AreForReading(IReadOnlyList<Scope> scopes) => scopes.Count > 0 && scopes.All(scope => scope.Actions == "pull");

    private bool AllowsPush => Actions.Split(',').Contains("push");

    public static Scope Pull(string repository) => new(RepositoryType, repository, "pull");

    public static Scope Push(string repository) => new(RepositoryType, repository, "pull,push");

    /// <summary>Reads a scope if it is one: the name may hold colons, a host's port for instance.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out Scope? scope)
    {
        var first = text.IndexOf(':', StringComparison.Ordinal);
        var last = text.LastIndexOf(':');
        var isScope = first > 0 && last > first + 1 && last < text.Length - 1 && !text.AsSpan().ContainsAny(NotInScopes);
        scope = isScope ? new Scope(text[..first], text[(first + 1)..last], text[(last + 1)..]) : null;
        return isScope && scope!.Actions.Length > 0;
    }

    /// <summary>Reads a list of scopes divided by spaces, skipping what is none.</summary>
    public static IReadOnlyList<Scope> ParseList(string? text)
    {
        var scopes = new List<Scope>();
        foreach (var part in (text ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries).Take(MaxListed))
        {
            if (TryParse(part, out var scope))
                scopes.Add(scope);
        }

        return Merge(scopes);
    }

    /// <summary>One scope for each resource, with all the actions that are wanted of it. Those that push come first.</summary>
    public static IReadOnlyList<Scope> Merge(IEnumerable<Scope> scopes)
    {
        Scope[] all = [.. scopes];
        if (all.Length <= 1)
            return all;
        return
        [
            .. all.GroupBy(scope => (scope.Type, scope.Name))
                .Select(same => new Scope(same.Key.Type, same.Key.Name, string.Join(',', same.Select(scope => scope.Actions))))
                // Quirk: push-scope-first.
                .OrderByDescending(scope => scope.AllowsPush),
        ];
    }

    /// <summary>Whether a token for these scopes serves where those are needed.</summary>
    public static bool Covers(IReadOnlyList<Scope> granted, IReadOnlyList<Scope> needed) =>
        needed.All(scope => granted.Any(scope.IsPartOf));

    public override string ToString() => $"{Type}:{Name}:{Actions}";

    private static string Canonical(string actions) =>
        string.Join(
            ',',
            actions
                .Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
                .Distinct(StringComparer.Ordinal)
                .Order(StringComparer.Ordinal)
        );

    private bool IsPartOf(Scope wider)
    {
        if (wider.Type != Type || wider.Name != Name)
            return false;
        var granted = wider.Actions.Split(',').ToHashSet(StringComparer.Ordinal);
        return granted.Contains("*") || Actions.Split(',').All(granted.Contains);
    }
}

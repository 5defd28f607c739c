using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace ImagePublish.Layers;

/// <summary>Whose a file in the image is, as the user says it: names or numbers. Names mean what the base image's accounts say.</summary>
internal sealed record FileOwner(string User, string? Group)
{
    public bool IsNumeric => TryId(User, out _) && (Group is null || TryId(Group, out _));

    public static bool TryParse(string text, [NotNullWhen(true)] out FileOwner? owner)
    {
        var parts = text.Split(':');
        var wellFormed = parts.Length <= 2 && parts.All(IsName);
        owner = wellFormed ? new FileOwner(parts[0], parts.Length == 2 ? parts[1] : null) : null;
        return wellFormed;
    }

    public static FileOwner Create(int uid, int gid) =>
        new(uid.ToString(CultureInfo.InvariantCulture), gid.ToString(CultureInfo.InvariantCulture));

    /// <summary>The numbers that it stands for.</summary>
    /// <remarks>Without a group it is the user's own; that of a number is the same number, as in <c>COPY --chown</c>.</remarks>
    public (int Uid, int Gid)? Resolve(Accounts accounts, out string? unknown)
    {
        unknown = null;
        (int Uid, int Gid)? user = TryId(User, out var id) ? (id, id) : accounts.FindUser(User);
        int? group =
            Group is null ? user?.Gid
            : TryId(Group, out id) ? id
            : accounts.FindGroup(Group);
        if (user is not null && group is not null)
            return (user.Value.Uid, group.Value);
        unknown = user is null ? $"user '{User}'" : $"group '{Group}'";
        return null;
    }

    public override string ToString() => Group is null ? User : $"{User}:{Group}";

    private static bool IsName(string text) =>
        text.Length > 0
        && !text.Any(character => char.IsControl(character) || char.IsWhiteSpace(character))
        && (!char.IsAsciiDigit(text[0]) || TryId(text, out _));

    private static bool TryId(string text, out int id) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out id);
}

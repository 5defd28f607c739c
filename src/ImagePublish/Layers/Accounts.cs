using System.Globalization;

namespace ImagePublish.Layers;

/// <summary>The users and groups of an image, as its <c>/etc/passwd</c> and <c>/etc/group</c> have them.</summary>
internal sealed class Accounts(string passwd, string group)
{
    public static Accounts None { get; } = new("", "");

    public (int Uid, int Gid)? FindUser(string name) =>
        Find(passwd, name) is [_, _, var uid, var gid, ..] && TryId(uid, out var user) && TryId(gid, out var own) ? (user, own) : null;

    public int? FindGroup(string name) => Find(group, name) is [_, _, var gid, ..] && TryId(gid, out var id) ? id : null;

    private static string[]? Find(string file, string name) =>
        file.Split('\n').Select(line => line.TrimEnd('\r').Split(':')).FirstOrDefault(fields => fields[0] == name);

    private static bool TryId(string text, out int id) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out id);
}

using ImagePublish.Dockerfiles;

namespace ImagePublish.Migration;

/// <summary>The accounts that commands of the Dockerfile add. None is in the image: a number takes its place, or the base's app.</summary>
internal sealed class AddedAccounts(FinalStage final)
{
    private readonly Lazy<Dictionary<string, string?>> all = new(() =>
        final
            .Steps.Where(step => step.Instruction.Keyword == "RUN")
            .SelectMany(step => step.Commands())
            .Where(IsAccount)
            .GroupBy(command => command.Words[^1])
            .ToDictionary(group => group.Key, group => Number(group.First().Words))
    );

    /// <summary>Whether commands add it, and the number that they give it; null where none is named.</summary>
    public bool TryFind(string name, out string? number) => all.Value.TryGetValue(name, out number);

    /// <summary>An owner, <c>user:group</c>, without accounts that are not in the image.</summary>
    public string Replace(string owner) =>
        string.Join(':', owner.Split(':').Select(part => TryFind(part, out var number) ? number ?? "app" : part));

    public static bool IsAccount(ShellCommand command) => command is { Words: ["useradd" or "adduser", ..] };

    private static string? Number(string[] words)
    {
        for (var at = 0; at < words.Length; at++)
        {
            var value =
                words[at] is "-u" or "--uid" && at + 1 < words.Length ? words[at + 1]
                : words[at].StartsWith("--uid=", StringComparison.Ordinal) ? words[at][6..]
                : "";
            if (value.Length > 0 && value.All(char.IsAsciiDigit))
                return value;
        }

        return null;
    }
}

using System.Text;

namespace ImagePublish.Dockerfiles;

/// <summary>A command of a shell's line.</summary>
/// <param name="IsPlain">Whether nothing but words is in it: no pipe, redirection, substitution or keyword of the shell.</param>
internal sealed record ShellCommand(string[] Words, string Text, bool IsPlain);

/// <summary>Divides what <c>RUN</c> gives to a shell into commands, as far as that is possible without being one.</summary>
internal static class ShellLine
{
    private const int MaxCommands = 500;

    private static readonly string[] Keywords =
    [
        "if",
        "then",
        "else",
        "elif",
        "fi",
        "for",
        "do",
        "done",
        "while",
        "until",
        "case",
        "esac",
        "{",
        "}",
        "!",
    ];

    public static IReadOnlyList<ShellCommand> Commands(string text)
    {
        var commands = new List<ShellCommand>();
        var command = new StringBuilder();
        var (quote, isPiped) = ('\0', false);
        for (var at = 0; at < text.Length && commands.Count < MaxCommands; at++)
        {
            var one = text[at];
            if (quote != '\0' || one is '"' or '\'')
            {
                quote =
                    quote == '\0' ? one
                    : one == quote ? '\0'
                    : quote;
                command.Append(one);
            }
            else if (one == '\\' && at + 1 < text.Length)
            {
                command.Append(one).Append(text[++at]);
            }
            else if (IsEnd(text, at, command))
            {
                Add(commands, command, isPiped);
                isPiped = false;
                at += at + 1 < text.Length && text[at + 1] == one ? 1 : 0;
            }
            else
            {
                // What comes before and after a pipe belongs together.
                isPiped |= one == '|';
                command.Append(one);
            }
        }

        Add(commands, command, isPiped);
        return commands;
    }

    private static bool IsEnd(string text, int at, StringBuilder command) =>
        text[at] switch
        {
            ';' or '\n' => true,
            '|' => at + 1 < text.Length && text[at + 1] == '|',
            // 2>&1 is no end.
            '&' => command.Length == 0 || command[^1] != '>',
            _ => false,
        };

    private static void Add(List<ShellCommand> commands, StringBuilder command, bool isPiped)
    {
        var text = string.Join(' ', command.ToString().Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        command.Clear();
        if (text.Length == 0)
            return;
        var words = DockerfileText.Words(text, '\\');
        var isPlain = !isPiped && !Keywords.Contains(words[0]) && text.AsSpan().IndexOfAny("()<>`") < 0;
        commands.Add(new ShellCommand([.. words.Select(Unquoted)], text, isPlain));
    }

    private static string Unquoted(string word) => word.Length > 1 && word[0] is '"' or '\'' && word[^1] == word[0] ? word[1..^1] : word;
}

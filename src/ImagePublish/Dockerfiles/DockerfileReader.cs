using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using ImagePublish.Common;
using ImagePublish.Diagnostics;

namespace ImagePublish.Dockerfiles;

/// <summary>Reads Dockerfiles as BuildKit does: directives, continuations, comments within them, heredocs, flags, stages.</summary>
/// <remarks>Not a validator: an instruction that no one knows is kept, and whoever translates it says so.</remarks>
internal sealed partial class DockerfileReader
{
    /// <summary>The largest file that is read, in bytes.</summary>
    public const int MaxLength = 1 << 20;

    private const int MaxInstructions = 2000;
    private const int MaxStages = 100;
    private const int MaxInstructionLength = 1 << 16;
    private const int MaxHeredocs = 20;

    private static readonly string[] WithHeredocs = ["RUN", "COPY", "ADD"];

    private readonly string name;
    private readonly string[] lines;
    private readonly List<DockerfileInstruction> instructions = [];
    private char escape = '\\';
    private int next;

    private DockerfileReader(string name, string text)
    {
        this.name = name;
        lines = [.. DockerfileText.Clean(text).Split('\n').Select(line => line.TrimEnd('\r'))];
    }

    /// <summary>Reads a file.</summary>
    /// <exception cref="ImagePublishException"><c>IMG1151</c>: it can't be read, or is none; <c>IMG1155</c>: it is malformed.</exception>
    public static Dockerfile ReadFile(string path)
    {
        var name = Text.Sanitize(path);
        try
        {
            if (Directory.Exists(path))
                throw Unreadable(name, "it is a folder");
            using var stream = File.OpenRead(path);
            var content = new byte[MaxLength + 1];
            var length = stream.ReadAtLeast(content, content.Length, throwOnEndOfStream: false);
            if (length > MaxLength)
                throw Unreadable(name, "it has more than 1 MiB");
            var text = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(content.AsSpan(0, length));
            return text.Contains('\0', StringComparison.Ordinal) ? throw Unreadable(name, "it is not text") : Read(name, text);
        }
        catch (DecoderFallbackException)
        {
            throw Unreadable(name, "it is not text in UTF-8");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw Unreadable(name, Text.Sanitize(exception.Message).TrimEnd('.'));
        }
    }

    /// <summary>Reads text.</summary>
    /// <param name="name">What messages call it.</param>
    /// <exception cref="ImagePublishException"><c>IMG1155</c>: it is malformed.</exception>
    public static Dockerfile Read(string name, string text)
    {
        var reader = new DockerfileReader(name, text);
        reader.ReadDirectives();
        while (reader.next < reader.lines.Length)
            reader.ReadInstruction();
        return reader.Divide();
    }

    // They come before anything else, a comment included.
    private void ReadDirectives()
    {
        while (next < lines.Length && Directive().Match(lines[next]) is { Success: true } directive)
        {
            if (directive.Groups[1].Value.Equals("escape", StringComparison.OrdinalIgnoreCase))
                escape = directive.Groups[2].Value is ['\\' or '`']
                    ? directive.Groups[2].Value[0]
                    : throw Malformed(next, "escape is neither \\ nor `");
            next++;
        }
    }

    private void ReadInstruction()
    {
        var start = next;
        var text = ReadLogicalLine();
        if (text.Length == 0)
            return;
        var space = text.AsSpan().IndexOfAny(' ', '\t');
        var keyword = (space < 0 ? text : text[..space]).ToUpperInvariant();
        if (!Keyword().IsMatch(keyword))
            throw Malformed(start, $"'{Text.Shortened(keyword, 40)}' is not an instruction");
        var (flags, rest) = ReadFlags(keyword, space < 0 ? "" : text[space..].Trim());
        if (instructions.Count == MaxInstructions)
            throw Malformed(start, "there are more than 2000 instructions");
        instructions.Add(
            new DockerfileInstruction(keyword, rest, start + 1) { Flags = flags, Heredocs = ReadHeredocs(keyword, rest, start) }
        );
    }

    // Comments and empty lines within a continued line are no part of it.
    private string ReadLogicalLine()
    {
        var start = next;
        var text = new StringBuilder();
        var isContinued = true;
        while (isContinued && next < lines.Length)
        {
            var line = lines[next++];
            if (line.AsSpan().TrimStart() is [] or ['#', ..])
            {
                if (text.Length == 0)
                    return "";
                continue;
            }

            var end = line.TrimEnd(' ', '\t');
            isContinued = end.Length > 0 && end[^1] == escape && !(end.Length > 1 && end[^2] == escape);
            text.Append(isContinued ? end[..^1] : line);
            if (text.Length > MaxInstructionLength)
                throw Malformed(start, "the instruction is longer than 65536 characters");
        }

        return text.ToString().Trim();
    }

    private (List<KeyValuePair<string, string>> Flags, string Text) ReadFlags(string keyword, string text)
    {
        var flags = new List<KeyValuePair<string, string>>();
        // ONBUILD has those of the instruction that follows it; a health check's command may have some of its own.
        while (keyword != "ONBUILD" && text.StartsWith("--", StringComparison.Ordinal))
        {
            var word = DockerfileText.FirstWord(text, escape);
            var equals = word.IndexOf('=', StringComparison.Ordinal);
            flags.Add(
                equals < 0
                    ? KeyValuePair.Create(word[2..].ToLowerInvariant(), "")
                    : KeyValuePair.Create(word[2..equals].ToLowerInvariant(), word[(equals + 1)..])
            );
            text = text[word.Length..].TrimStart();
        }

        return (flags, text);
    }

    private List<Heredoc> ReadHeredocs(string keyword, string text, int start)
    {
        var heredocs = new List<Heredoc>();
        if (!WithHeredocs.Contains(keyword))
            return heredocs;
        foreach (var match in HeredocStart().Matches(text).Take(MaxHeredocs))
        {
            var content = new StringBuilder();
            var isIndented = match.Groups[1].Length > 0;
            var end = match.Groups[3].Value;
            while (true)
            {
                if (next == lines.Length)
                    throw Malformed(start, $"the heredoc {Text.Shortened(end, 40)} has no end");
                var line = isIndented ? lines[next].TrimStart('\t') : lines[next];
                next++;
                if (line == end)
                    break;
                content.Append(line).Append('\n');
            }

            heredocs.Add(new Heredoc(end, content.ToString()));
        }

        return heredocs;
    }

    private Dockerfile Divide()
    {
        var arguments = new List<DockerfileInstruction>();
        var stages = new List<DockerfileStage>();
        foreach (var instruction in instructions)
        {
            if (instruction.Keyword == "FROM" && stages.Count == MaxStages)
                throw Malformed(instruction.Line - 1, "there are more than 100 stages");
            if (instruction.Keyword == "FROM")
                stages.Add(Stage(instruction));
            else if (stages.Count > 0)
                stages[^1].Instructions.Add(instruction);
            else if (instruction.Keyword == "ARG")
                arguments.Add(instruction);
            else
                throw Malformed(instruction.Line - 1, $"{instruction.Keyword} comes before the first FROM");
        }

        return stages.Count > 0 ? new Dockerfile(arguments, stages, escape) : throw Malformed(lines.Length - 1, "there is no FROM");
    }

    private DockerfileStage Stage(DockerfileInstruction from) =>
        from.Text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries) switch
        {
            [var image] => new DockerfileStage(from, image, null),
            [var image, var word, var stage] when word.Equals("AS", StringComparison.OrdinalIgnoreCase) => new DockerfileStage(
                from,
                image,
                stage
            ),
            _ => throw Malformed(from.Line - 1, "FROM has to be 'FROM image' or 'FROM image AS name'"),
        };

    private ImagePublishException Malformed(int line, string what) =>
        new(
            DiagnosticCodes.DockerfileMalformed,
            string.Create(
                CultureInfo.InvariantCulture,
                $"{name}, line {line + 1}: {what}. Fix it, or name another file with ImageDockerfile."
            )
        );

    private static ImagePublishException Unreadable(string name, string why) =>
        new(DiagnosticCodes.DockerfileUnreadable, $"The Dockerfile '{name}' can't be read: {why}. Name another one with ImageDockerfile.");

    [GeneratedRegex(@"^\s*#\s*([A-Za-z][A-Za-z0-9]*)\s*=\s*(\S.*?)\s*$")]
    private static partial Regex Directive();

    [GeneratedRegex("^[A-Z]+$")]
    private static partial Regex Keyword();

    [GeneratedRegex("""(?<![<\S])\d?<<(-?)(["']?)([A-Za-z_][A-Za-z0-9_]*)\2(?!<)""")]
    private static partial Regex HeredocStart();
}

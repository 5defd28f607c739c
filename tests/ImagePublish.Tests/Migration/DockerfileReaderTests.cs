using ImagePublish.Diagnostics;
using ImagePublish.Dockerfiles;

namespace ImagePublish.Tests.Migration;

/// <summary>The syntax of Dockerfiles.</summary>
public sealed class DockerfileReaderTests : IDisposable
{
    private static readonly Dictionary<string, string> Variables = new() { ["A"] = "1", ["EMPTY"] = "" };

    private readonly string folder = Directory.CreateTempSubdirectory("imagepublish-dockerfile-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void CommentsWithinALineAndEmptyLinesAreNoPartOfIt()
    {
        var file = Read("FROM a\nRUN one \\\n  # why\n\n  two \\ \n  three\n  # end\nENV B=1\n");

        Assert.Equal("RUN one two three", file.Stages[0].Instructions[0].ToString());
        Assert.Equal((2, 8), (file.Stages[0].Instructions[0].Line, file.Stages[0].Instructions[1].Line));
    }

    [Fact]
    public void TheEscapeOfADirectiveContinuesLines()
    {
        var file = Read("# syntax=docker/dockerfile:1\r\n# escape=`\r\nFROM a\r\nCOPY c:\\in\\ `\r\n  c:\\out\r\n");

        Assert.Equal('`', file.Escape);
        Assert.Equal(["COPY c:\\in\\ c:\\out"], file.Stages[0].Instructions.Select(instruction => instruction.ToString()));
    }

    [Fact]
    public void ADirectiveAfterAnythingElseIsAComment() => Assert.Equal('\\', Read("FROM a\n# escape=`\n").Escape);

    [Fact]
    public void StagesHaveTheirInstructionsFlagsAndNames()
    {
        var file = Read(
            "ARG V=1\nfrom --platform=$BUILDPLATFORM a:$V as Build\nCOPY --from=x --link --chown=\"a b\" one /two\nFROM build\n"
        );

        Assert.Equal(["ARG"], file.Arguments.Select(argument => argument.Keyword));
        Assert.Equal("$BUILDPLATFORM", file.Stages[0].From.Flag("platform"));
        var copy = file.Stages[0].Instructions.Single();
        Assert.Equal(("x", "", "\"a b\"", "one /two"), (copy.Flag("from"), copy.Flag("link"), copy.Flag("chown"), copy.Text));
        Assert.Same(file.Stages[0], file.FindStage("BUILD", file.Stages[1]));
        Assert.Null(file.FindStage("Build", file.Stages[0]));
    }

    [Fact]
    public void HeredocsBelongToTheirInstruction()
    {
        var file = Read(
            "FROM a\nCOPY <<one <<-\"two\" /x/\nFROM b\none\n\tindented\n\ttwo\nRUN cat <<< here\nRUN echo 1<<EOF\nlast\nEOF\n"
        );

        var instructions = file.Stages.Single().Instructions;
        Assert.Equal(["FROM b\n", "indented\n"], instructions[0].Heredocs.Select(heredoc => heredoc.Content));
        Assert.Empty(instructions[1].Heredocs);
        Assert.Equal(["last\n"], instructions[2].Heredocs.Select(heredoc => heredoc.Content));
    }

    [Theory]
    [InlineData("", "there is no FROM")]
    [InlineData("ENV A=1\nFROM a\n", "line 1: ENV comes before the first FROM")]
    [InlineData("FROM a b\n", "line 1: FROM has to be")]
    [InlineData("FROM a\nRUN <<EOF\nx\n", "line 2: the heredoc EOF has no end")]
    [InlineData("FROM a\n<html>\n", "line 2: '<HTML>' is not an instruction")]
    [InlineData("# escape=x\nFROM a\n", "line 1: escape is neither")]
    public void WhatIsMalformedIsNamedWithItsLine(string text, string says)
    {
        var failure = Assert.Throws<ImagePublishException>(() => Read(text));
        Assert.Equal(DiagnosticCodes.DockerfileMalformed, failure.Code);
        Assert.Contains(says, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ThereAreLimits()
    {
        var many = string.Concat(Enumerable.Repeat("ENV A=1\n", 2001));
        Assert.Contains(
            "2000 instructions",
            Assert.Throws<ImagePublishException>(() => Read("FROM a\n" + many)).Message,
            StringComparison.Ordinal
        );
        var large = "FROM a\nRUN " + string.Concat(Enumerable.Repeat(new string('x', 1000) + " \\\n", 70));
        Assert.Contains("65536", Assert.Throws<ImagePublishException>(() => Read(large)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("no file", null, "can't be read")]
    [InlineData("binary", new byte[] { (byte)'F', 0, 1 }, "it is not text")]
    [InlineData("latin", new byte[] { (byte)'F', 0xE4, 0x20 }, "it is not text in UTF-8")]
    public void AFileThatIsNoneIsRefused(string name, byte[]? content, string says)
    {
        var path = Path.Combine(folder, name);
        if (content is not null)
            File.WriteAllBytes(path, content);
        AssertUnreadable(path, says);
    }

    [Fact]
    public void AFileThatIsTooLargeAndAFolderAreRefused()
    {
        var path = Path.Combine(folder, "large");
        File.WriteAllText(path, new string('#', DockerfileReader.MaxLength + 1));
        AssertUnreadable(path, "more than 1 MiB");
        AssertUnreadable(folder, "it is a folder");
    }

    [Theory]
    [InlineData("$A${A}", "11")]
    [InlineData("'$A'\"$A\"\\$A", "$A1$A")]
    [InlineData("${EMPTY:-x}${EMPTY-y}${NONE:-${A}}${A:+z}${EMPTY:+z}", "x1z")]
    [InlineData("\"a\\\"b\\c\"", "a\"b\\c")]
    [InlineData("$ ${ $", "$ ${ $")]
    public void WordsAreExpandedAsDockerDoes(string word, string value) =>
        Assert.Equal(value, DockerfileText.Expand(word, '\\', Variables));

    [Fact]
    public void WhatOnlyABuildKnowsIsMarked()
    {
        var value = DockerfileText.Expand("$OTHER-$B", '\\', new Dictionary<string, string> { ["B"] = DockerfileText.Argument("B") });

        Assert.True(DockerfileText.HasInherited(value) && DockerfileText.HasArgument(value));
        Assert.Equal("<OTHER>-<B>", DockerfileText.Replace(value, name => $"<{name}>"));
    }

    [Fact]
    public void ValuesThatDoubleStayBounded()
    {
        var lines = string.Concat(Enumerable.Range(1, 60).Select(number => $"ENV A{number}=$A{number - 1}$A{number - 1}\n"));
        var final = new FinalStage(Read($"FROM a\nENV A0=xxxxxxxxxxxxxxxx\n{lines}"), _ => new Dictionary<string, string>());

        Assert.InRange(final.Steps[^1].Pairs()[0].Value.Length, 1, 1 << 16);
    }

    [Theory]
    [InlineData("A=1 B=\"2  3\" C='4'", "A,1;B,\"2  3\";C,'4'")]
    [InlineData("A  two words ", "A,two words")]
    [InlineData("A", "A,")]
    public void PairsHaveTwoForms(string text, string pairs) =>
        Assert.Equal(pairs, string.Join(';', DockerfileText.Pairs(text, '\\').Select(pair => $"{pair.Key},{pair.Value}")));

    [Theory]
    [InlineData("a && b || c; d\ne & f", "a|b|c|d|e|f")]
    [InlineData("echo 'a && b' \"c; d\" \\; e", "echo a && b c; d \\; e")]
    public void AShellsLineIsDividedIntoCommands(string text, string commands) =>
        Assert.Equal(commands, string.Join('|', ShellLine.Commands(text).Select(command => string.Join(' ', command.Words))));

    [Theory]
    [InlineData("curl x | sh")]
    [InlineData("echo a > /b")]
    [InlineData("x $(y)")]
    [InlineData("if true")]
    public void WhatNeedsAShellIsNotPlain(string text) => Assert.All(ShellLine.Commands(text), command => Assert.False(command.IsPlain));

    private static Dockerfile Read(string text) => DockerfileReader.Read("Dockerfile", text);

    private static void AssertUnreadable(string path, string says)
    {
        var failure = Assert.Throws<ImagePublishException>(() => DockerfileReader.ReadFile(path));
        Assert.Equal(DiagnosticCodes.DockerfileUnreadable, failure.Code);
        Assert.Contains(says, failure.Message, StringComparison.Ordinal);
    }
}

using ImagePublish.Tasks.Tests.Support;

namespace ImagePublish.Tasks.Tests.Commands;

/// <summary>What a build reports that makes several mistakes, each in a call of its own.</summary>
internal static class ReportedMistakes
{
    /// <summary>Each has its error, with its code and words, and none a stack trace.</summary>
    public static void Check(CommandOutput output, IReadOnlyList<(string Code, string Says)> mistakes)
    {
        string[] errors = [.. output.Output.Split('\n').Where(line => line.Contains(" error ", StringComparison.Ordinal))];
        Assert.All(mistakes, mistake =>
            Assert.True(
                Array.Exists(errors, line =>
                    line.Contains($"error {mistake.Code}: ", StringComparison.Ordinal)
                    && line.Contains(mistake.Says, StringComparison.Ordinal)
                ),
                $"{mistake}\n{output.All}"
            )
        );
        Assert.DoesNotContain("   at ", output.All, StringComparison.Ordinal);
    }
}

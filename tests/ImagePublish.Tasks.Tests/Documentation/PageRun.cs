using System.Text.RegularExpressions;
using Xunit.Sdk;

namespace ImagePublish.Tasks.Tests.Documentation;

/// <summary>One reader's way through a page.</summary>
public sealed partial class PageRun(Page page, Sandbox sandbox)
{
    private readonly Stage stage = Stages.Of(page.Name);
    private readonly ShownOutput output = new();

    /// <summary>Reads the page from the top to the end, and types all but what <paramref name="isTypedElsewhere"/>.</summary>
    public async Task ReadAsync(Func<Passage, bool> isTypedElsewhere, CancellationToken cancellationToken)
    {
        foreach (
            var passages in page.Steps.Where(passages => !isTypedElsewhere(passages[0]) && !stage.NotTyped.ContainsKey(passages[0].Name))
        )
        {
            try
            {
                await TypeAsync(passages, cancellationToken);
            }
            catch (Exception failure) when (failure is InvalidOperationException or XunitException or KeyNotFoundException)
            {
                Assert.Fail($"{page.Name}, {passages[0]}\n{failure.Message}");
            }
        }
    }

    // One passage; or several pieces of a project file, each of which is tried.
    private async Task TypeAsync(IReadOnlyList<Passage> passages, CancellationToken cancellationToken)
    {
        var passage = passages[0];
        var printed = stage.Before.TryGetValue(passage.Name, out var before) ? await sandbox.TypeAsync(before, cancellationToken) : "";
        switch (passage.Language)
        {
            case "shell":
                printed = await sandbox.TypeAsync(passage.Text, cancellationToken);
                Assert.DoesNotMatch(Warning(), printed);
                if (passage.Shown.Length > 0)
                    output.Check(sandbox.Here(passage.Shown), printed);
                break;
            case "xml":
                await ProjectSnippet.CheckAsync(
                    [.. passages.Select(one => sandbox.Here(one.Text))],
                    isKept: !passage.IsInline,
                    sandbox,
                    stage.Variables,
                    cancellationToken
                );
                break;
            case "yaml":
                await RunAsync(CiRecipe.ParseYaml(passage.Text), cancellationToken);
                break;
            case "groovy":
                await RunAsync(CiRecipe.ParseGroovy(passage.Text), cancellationToken);
                break;
            default:
                Assert.True(before is not null, "The page shows output, and neither it nor its stage says of what.");
                output.Check(sandbox.Here(passage.Text), printed);
                break;
        }
    }

    // What the last step says is the image by its digest: either it is the publish, or it uses what the publish has handed on.
    private async Task RunAsync(CiRecipe recipe, CancellationToken cancellationToken)
    {
        var handedOn = new Dictionary<string, string>();
        foreach (var step in recipe.Steps)
        {
            var environment = new Dictionary<string, string>();
            foreach (
                var (name, value) in recipe
                    .System.Variables.Concat(step.Environment)
                    .Concat(recipe.System.Expression is null ? handedOn : [])
            )
                environment[name] = recipe.System.Fill(value, handedOn).Replace("HERE", sandbox.Folder, StringComparison.Ordinal);
            var printed = await sandbox.TypeAsync(recipe.System.Fill(step.Script, handedOn), cancellationToken, environment);
            Assert.Matches(ByDigest(), printed);
            foreach (var (name, value) in recipe.System.HandedOn(step, printed, sandbox.Folder))
                handedOn[name] = value;
        }

        Assert.All(recipe.Files, file => Assert.True(File.Exists(Path.Combine(sandbox.Folder, file)), file));
    }

    [GeneratedRegex(@"\bwarning [A-Z]+\d+:")]
    private static partial Regex Warning();

    [GeneratedRegex("@sha256:[0-9a-f]{64}")]
    private static partial Regex ByDigest();
}

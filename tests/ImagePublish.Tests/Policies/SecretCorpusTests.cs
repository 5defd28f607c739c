using ImagePublish.Diagnostics;
using ImagePublish.Layers;
using ImagePublish.Policies;
using ImagePublish.Testing;

namespace ImagePublish.Tests.Policies;

/// <summary>How many of sixty planted secrets are found, and how many of sixty harmless files are taken for one.</summary>
public sealed class SecretCorpusTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("imagepublish-corpus-").FullName;

    private static readonly DiagnosticCode[] Secrets = [DiagnosticCodes.PrivateKeyInImage, DiagnosticCodes.CredentialsInImage];

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void EachPlantedSecretIsFound()
    {
        var planted = new SecretCorpus().Planted;

        Assert.Equal(60, planted.Select(file => file.Path).Distinct().Count());
        Assert.DoesNotContain(planted, file => FindingsOf(file).Count == 0);
    }

    [Fact]
    [ReliabilityCase(
        "Guard rails",
        "60 planted secrets, and 60 harmless files that look like secrets",
        "all 60 secrets are found, and none of the others"
    )]
    public void NoHarmlessFileIsTakenForASecret()
    {
        var innocent = new SecretCorpus().Innocent;

        Assert.Equal(60, innocent.Select(file => file.Path).Distinct().Count());
        Assert.DoesNotContain(innocent, file => FindingsOf(file).Count > 0);
    }

    [Fact]
    public void AFindingNamesTheFileAndNothingOfItsContent()
    {
        foreach (var file in new SecretCorpus().Planted)
        {
            foreach (var finding in FindingsOf(file))
            {
                Assert.Contains($"'/app/{file.Path}'", finding.Message, StringComparison.Ordinal);
                Assert.DoesNotContain('\n', finding.Message);
                Assert.DoesNotContain("hunter2", finding.Message, StringComparison.Ordinal);
                Assert.DoesNotContain("MII", finding.Message, StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public void WhatIsMeantToBePublicIsNamedByAPattern()
    {
        var corpus = new SecretCorpus();

        Assert.DoesNotContain(corpus.Planted, file => FindingsOf(file, "**").Count > 0);
        var left = corpus.Planted.Where(file => FindingsOf(file, "/app/certs/**", "*.env", ".ssh/*").Count > 0).Select(file => file.Path);
        Assert.DoesNotContain(left, path =>
            path.StartsWith("certs/", StringComparison.Ordinal) || path.EndsWith(".env", StringComparison.Ordinal)
        );
        Assert.Contains("aspnetapp.pfx", left);
    }

    private List<Finding> FindingsOf(CorpusFile file, params string[] allowed)
    {
        var path = Path.Combine(folder, Path.GetRandomFileName());
        File.WriteAllBytes(path, file.Content.Span);
        var entry = new LayerEntry("app/" + file.Path, LayerEntryKind.File)
        {
            Content = new FileOnDisk(path, file.Content.Length),
            PublishPath = file.Path,
        };
        var policy = new ContentPolicy(new PolicyRequest { AllowedFiles = allowed }, [], isWindows: false);
        return [.. policy.Find([entry], TestContext.Current.CancellationToken).Where(finding => Secrets.Contains(finding.Code))];
    }
}

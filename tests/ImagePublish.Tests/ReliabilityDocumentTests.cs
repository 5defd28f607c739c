namespace ImagePublish.Tests;

/// <summary>Keeps <c>docs/reliability.md</c> what the tests say.</summary>
public sealed class ReliabilityDocumentTests
{
    [Fact]
    public async Task TheDocumentListsTheCasesOfTheseTests() =>
        Assert.Null(await ReliabilityDocument.CheckAsync(typeof(ReliabilityDocumentTests).Assembly, TestContext.Current.CancellationToken));
}

namespace ImagePublish.Tasks.Tests.Config;

/// <summary>What a Dockerfile says, a project can say, and the image is the one that <c>docker build</c> makes.</summary>
public sealed class DockerfileComparisonTests(DockerfileImages images) : IClassFixture<DockerfileImages>
{
    public static TheoryData<string> Same =>
        [.. DockerfileInstructions.All.Where(instruction => instruction.Better is null).Select(instruction => instruction.Text)];

    public static TheoryData<string> Better =>
        [.. DockerfileInstructions.All.Where(instruction => instruction.Better is not null).Select(instruction => instruction.Text)];

    [Theory]
    [MemberData(nameof(Same))]
    public void AnInstructionHasAnEquivalent(string text) => Assert.Equal(images.Docker(Find(text)), images.Ours(Find(text)));

    [Theory]
    [MemberData(nameof(Better))]
    public void ADifferenceIsMeant(string text)
    {
        Assert.Equal(Find(text).Better, images.Ours(Find(text)));
        Assert.NotEqual(Find(text).Better, images.Docker(Find(text)));
    }

    private static DockerfileInstruction Find(string text) => DockerfileInstructions.All.Single(instruction => instruction.Text == text);
}

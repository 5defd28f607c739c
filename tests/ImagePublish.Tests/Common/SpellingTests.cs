using ImagePublish.Common;

namespace ImagePublish.Tests.Common;

/// <summary>Which name was meant.</summary>
public sealed class SpellingTests
{
    private static readonly string[] Known =
    [
        "ImageTags",
        "ImageTagPolicy",
        "ImageRegistry",
        "ImageRepository",
        "ImagePage",
        "ImageUser",
        "PublishImage",
    ];

    [Theory]
    [InlineData("ImageTag", "ImageTags")]
    [InlineData("imagetag", "ImageTags")]
    [InlineData("ImageTagPolciy", "ImageTagPolicy")]
    [InlineData("ImageRegisty", "ImageRegistry")]
    [InlineData("PublishImages", "PublishImage")]
    [InlineData("ImagePublish", "PublishImage")]
    [InlineData("ImageRepositories", null)]
    [InlineData("ImageReposytori", "ImageRepository")]
    [InlineData("ImagePath", null)]
    [InlineData("ImageVersion", null)]
    [InlineData("Image", null)]
    public void ANameIsMeantThatDiffersByASlipOrTwoOrByTheOrderOfItsWords(string given, string? intended) =>
        Assert.Equal(intended, Spelling.FindIntended(given, Known));
}

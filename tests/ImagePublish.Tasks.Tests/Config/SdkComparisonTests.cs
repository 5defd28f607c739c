namespace ImagePublish.Tasks.Tests.Config;

/// <summary>
/// A project that is set up for the .NET SDK's <c>PublishContainer</c> gets the same image from this package, but for what is better.
/// </summary>
public sealed class SdkComparisonTests(SdkImages images) : IClassFixture<SdkImages>
{
    public static TheoryData<string> Same => [.. SdkSettings.All.Where(setting => setting.Better is null).Select(setting => setting.Name)];

    public static TheoryData<string> Better =>
        [.. SdkSettings.All.Where(setting => setting.Better is not null).Select(setting => setting.Name)];

    [Theory]
    [MemberData(nameof(Same))]
    public void ASettingSaysTheSame(string name)
    {
        var setting = Find(name);

        Assert.Equal(images.Sdk(setting.Kind)[setting.Fact], images.Ours(setting.Kind)[setting.Fact]);
    }

    [Theory]
    [MemberData(nameof(Same))]
    public void ASettingMakesADifference(string name)
    {
        var setting = Find(name);

        if (setting is { IsUsual: false, Xml.Length: > 0 })
            Assert.NotEqual(images.Ours("plain")[setting.Fact], images.Ours(setting.Kind)[setting.Fact]);
        else
            Assert.NotEmpty(images.Ours(setting.Kind)[setting.Fact]);
    }

    [Theory]
    [MemberData(nameof(Better))]
    public void ADifferenceIsMeant(string name)
    {
        var setting = Find(name);

        Assert.Equal(setting.Better, images.Ours(setting.Kind)[setting.Fact]);
        Assert.NotEqual(setting.Better, images.Sdk(setting.Kind)[setting.Fact]);
    }

    private static SdkSetting Find(string name) => SdkSettings.All.Single(setting => setting.Name == name);
}

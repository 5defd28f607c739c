using ImagePublish.Tasks.Tests.Support;
using ImagePublish.Testing;

namespace ImagePublish.Tasks.Tests.EndToEnd;

/// <summary><c>{content}</c> in the tags of a project.</summary>
public sealed class PublishedContentTagTests(Peers peers)
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task AnImageAndAnIndexAreTaggedWithTheirOwnDigests()
    {
        await using var registry = await TestRegistry.StartAsync(cancellationToken: Cancelled);
        using var workspace = await peers.WorkspaceAsync();
        var project = workspace.ScratchApp("App").Property("UseAppHost", "false").Property("ImageTags", "{content} v1-{content:8}");
        string[] switches = ["-p:PublishImage=true", $"-p:ImageRegistry={registry.Host}", "-p:ImageTagOverwrite=false"];

        var one = (await project.PublishAsync(Cancelled, switches)).EnsureSuccess();
        var again = (await project.PublishAsync(Cancelled, [.. switches, "--no-build"])).EnsureSuccess();
        var two = (
            await project.PublishAsync(Cancelled, [.. switches, "--no-build", "-p:ImageRuntimeIdentifiers=linux-x64%3Blinux-arm64"])
        ).EnsureSuccess();

        Assert.Contains("(unchanged)", again.Command.Output, StringComparison.Ordinal);
        Assert.NotEqual(one.Digest, two.Digest);
        var expected = new[] { one.Digest, two.Digest }.SelectMany(digest =>
            new[] { (Tag: Hex(digest, 12), Digest: digest), (Tag: $"v1-{Hex(digest, 8)}", Digest: digest) }
        );
        Assert.Equal(
            expected.OrderBy(tag => tag.Tag, StringComparer.Ordinal),
            registry.Content.Tags("app").Select(tag => (Tag: tag.Key, Digest: tag.Value)).OrderBy(tag => tag.Tag, StringComparer.Ordinal)
        );
    }

    [Fact]
    public async Task CommandsThatKnowNoDigestSaySo()
    {
        using var workspace = await peers.WorkspaceAsync();
        var project = workspace.Empty("App").WithImagePublish().Property("OutputType", "Exe").Property("ImageTags", "{content}");

        var inspected = await project.TargetAsync("InspectImage", Cancelled);
        var tagged = await project.TargetAsync("TagImage", Cancelled, "-p:ImageSource=acme/app:1.0");

        Assert.Contains(
            "error IMG1031: The project's own image has no tag that is known before the image is",
            inspected.Command.All,
            StringComparison.Ordinal
        );
        Assert.Contains("error IMG1009: TagImage takes no tags with {content}", tagged.Command.All, StringComparison.Ordinal);
    }

    private static string Hex(string digest, int length) => digest["sha256:".Length..][..length];
}

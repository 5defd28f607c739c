using ImagePublish.Diagnostics;

namespace ImagePublish.Tests.Packages;

/// <summary>
/// Sources with real signatures, right and wrong: what is not signed by the key that the source names never becomes a layer.
/// </summary>
public sealed class SignedSourceTests(ArchiveKey key, OtherKey other) : IClassFixture<ArchiveKey>, IClassFixture<OtherKey>
{
    [Theory]
    [InlineData("right", null, null)]
    [InlineData("unknown key", "IMG6003", "a key that is not trusted")]
    [InlineData("changed after it was signed", "IMG6003", "signature of a package source is not valid")]
    [InlineData("index is another", "IMG6004", "differs from its hash")]
    [InlineData("package is another", "IMG6004", "differs from its hash")]
    public async Task OnlyWhatTheKeySignedIsTaken(string kind, string? code, string? said)
    {
        using var repository = new LocalRepository
        {
            Key = null,
            Options = $"[signed-by={(kind == "unknown key" ? other.Key.PublicKey : key.PublicKey)}]",
        }
            .AddRoot()
            .Add(new DebBuilder("shop").File("./usr/bin/shop", "shop"));
        repository.Request("shop");
        repository.Sign(key);
        Spoil(repository, kind);

        var making = repository.MakeAsync("shop");

        if (code is null)
        {
            Assert.Equal(2, (await making).Packages.Count);
            return;
        }

        var exception = await Assert.ThrowsAsync<ImagePublishException>(() => making);
        Assert.Equal(code, exception.Code.Id);
        Assert.Contains(said!, exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', exception.Message);
        Assert.DoesNotContain(Directory.EnumerateFiles(repository.Folder, "data.tar", SearchOption.AllDirectories), file =>
            File.ReadAllText(file).Contains("usr/bin/shop", StringComparison.Ordinal)
        );
    }

    private static void Spoil(LocalRepository repository, string kind)
    {
        if (kind == "changed after it was signed")
            Change("InRelease", "Origin: Tests", "Origin: Thief");
        else if (kind == "index is another")
            repository.Spoiled = true;
        else if (kind == "package is another")
            File.WriteAllBytes(
                Path.Combine(repository.Folder, "shop_1.0_all.deb"),
                new DebBuilder("shop").File("./usr/bin/shop", "evil").Build()
            );

        void Change(string name, string from, string to)
        {
            var file = Path.Combine(repository.Folder, name);
            File.WriteAllText(file, File.ReadAllText(file).Replace(from, to, StringComparison.Ordinal));
        }
    }
}

/// <summary>Somebody else's key.</summary>
public sealed class OtherKey : IDisposable
{
    internal ArchiveKey Key { get; } = new();

    public void Dispose() => Key.Dispose();
}

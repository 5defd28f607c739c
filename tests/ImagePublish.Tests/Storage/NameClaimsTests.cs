using ImagePublish.Storage;

namespace ImagePublish.Tests.Storage;

/// <summary>Two processes are two sets of claims on the same folder.</summary>
public sealed class NameClaimsTests : IDisposable
{
    private const string Name = "localhost:5000/acme/one:1.0";

    private readonly TempFolder folder = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ANameIsItsFirstOwnersUntilTheWorkIsOver(bool hasTwoProcesses)
    {
        using var one = new NameClaims(hasTwoProcesses ? folder.Path : null, "S.slnx");
        using var other = hasTwoProcesses ? new NameClaims(folder.Path, "S.slnx") : one;

        Assert.Null(await one.ClaimAsync(Name, "Bbb", Cancel));
        Assert.Equal("Bbb", await other.ClaimAsync(Name, "Ccc", Cancel));
        Assert.Null(await other.ClaimAsync("localhost:5000/acme/one:2.0", "Ccc", Cancel));
        one.Dispose();

        using var next = hasTwoProcesses ? new NameClaims(folder.Path, "S.slnx") : one;
        Assert.Null(await next.ClaimAsync(Name, "Ccc", Cancel));
    }

    [Fact]
    public async Task TheSameOwnerClaimsAgain()
    {
        using var one = new NameClaims(folder.Path, "S.slnx");
        using var other = new NameClaims(folder.Path, "S.slnx");

        Assert.Null(await one.ClaimAsync(Name, "Bbb", Cancel));
        Assert.Null(await one.ClaimAsync(Name, "Bbb", Cancel));
        Assert.Null(await other.ClaimAsync(Name, "Bbb", Cancel));
    }

    [Fact]
    public async Task OtherWorkHasItsOwnNames()
    {
        using var one = new NameClaims(folder.Path, "/agent/1/S.slnx");
        using var other = new NameClaims(folder.Path, "/agent/2/S.slnx");

        Assert.Null(await one.ClaimAsync(Name, "Bbb", Cancel));
        Assert.Null(await other.ClaimAsync(Name, "Ccc", Cancel));
    }

    [Fact]
    public async Task TheNoteOfAProcessThatDiedIsNobodys()
    {
        using var dead = new NameClaims(folder.Path, "S.slnx");
        await dead.ClaimAsync(Name, "Bbb", Cancel);
        var note = Directory.GetFiles(folder.Path, "*.owner").Single();
        await File.WriteAllTextAsync(note, $"{int.MaxValue}\nBbb", Cancel);

        using var other = new NameClaims(folder.Path, "S.slnx");
        Assert.Null(await other.ClaimAsync(Name, "Ccc", Cancel));
    }

    [Fact]
    public async Task NothingIsLeftBehind()
    {
        using (var one = new NameClaims(folder.Path, "S.slnx"))
            await one.ClaimAsync(Name, "Bbb", Cancel);

        Assert.Empty(Directory.GetFiles(folder.Path));
    }

    [Fact]
    public async Task AFolderThatCanNotBeHadKeepsNobodyFromPublishing()
    {
        var file = Path.Combine(folder.Path, "file");
        await File.WriteAllTextAsync(file, "", Cancel);
        using var one = new NameClaims(file, "S.slnx");

        Assert.Null(await one.ClaimAsync(Name, "Bbb", Cancel));
        Assert.Equal("Bbb", await one.ClaimAsync(Name, "Ccc", Cancel));
    }
}

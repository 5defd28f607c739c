using System.Diagnostics;
using System.Runtime.Versioning;
using System.Security.Cryptography;
using System.Text;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;
using ImagePublish.Storage;

namespace ImagePublish.Tests.Storage;

/// <summary>
/// The local store and other users of the machine: who may look into it, who may change it, and what is believed of what it says.
/// </summary>
[UnsupportedOSPlatform("windows")]
public sealed class StoreOwnerTests : IDisposable
{
    private const string Area = "Security";
    private const UnixFileMode Others =
        UnixFileMode.GroupRead
        | UnixFileMode.GroupWrite
        | UnixFileMode.GroupExecute
        | UnixFileMode.OtherRead
        | UnixFileMode.OtherWrite
        | UnixFileMode.OtherExecute;

    private static readonly Digest Tar = Digest.Compute("tar"u8);
    private static readonly Descriptor Layer = new(MediaTypes.OciLayer + "+gzip", Digest.Compute("layer"u8), 5);

    private readonly string folder = Directory.CreateTempSubdirectory("imagepublish-owner-").FullName;

    private string Store => Path.Combine(folder, "store");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData("000")]
    [InlineData("022")]
    [ReliabilityCase(Area, "the local store with umask 000 or 022", "no other user can read, write or lock anything in it")]
    public async Task WhatIsCreatedIsTheUsersAlone(string umask)
    {
        // The mask is a process's: a shell of its own sets it.
        var (code, output) = await TryRunAsync(
            "/bin/sh",
            "-c",
            $"umask {umask} && exec dotnet \"$0\" fill \"$1\" \"$2\"",
            TestingProcess.Assembly,
            Store,
            Path.Combine(folder, "keys", "store.key")
        );

        Assert.True(code == 0, output);
        var entries = output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        string[] kinds =
        [
            "/blobs/sha256/",
            "/index.json",
            "/oci-layout",
            "/growth",
            "/lock ",
            "/lock.owner",
            "/locks/",
            "/sessions/",
            "/records/",
            "/claims/",
            "/store.key",
        ];
        Assert.All(kinds, kind => Assert.Contains(entries, entry => $"{entry} ".Contains(kind, StringComparison.Ordinal)));
        Assert.All(entries, entry => Assert.True(entry.Split(' ')[0] is "384" or "448", entry));
    }

    [Fact]
    [ReliabilityCase(Area, "a store that an earlier version made readable for everyone", "only its user can read it from now on")]
    public void AStoreOfAnEarlierVersionIsClosedToOthers()
    {
        ImageStore.Open(Store, new StoreOptions());
        File.SetUnixFileMode(
            Store,
            File.GetUnixFileMode(Store)
                | UnixFileMode.GroupRead
                | UnixFileMode.GroupWrite
                | UnixFileMode.OtherRead
                | UnixFileMode.OtherExecute
        );

        ImageStore.Open(Store, new StoreOptions());

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(Store));
    }

    [Theory]
    [InlineData("another user's", "belongs to another user (4242)")]
    [InlineData("another user's link", "belongs to another user (4242)")]
    [InlineData("writable", "can be written to by other users")]
    [ReliabilityCase(
        Area,
        "a store that belongs to another user, or that others can write to",
        "IMG3112; nothing is read from it or written to it"
    )]
    public async Task AStoreThatOthersCanChangeIsRefused(string how, string why)
    {
        var real = Directory.CreateDirectory(how == "another user's link" ? Path.Combine(folder, "real") : Store).FullName;
        if (how == "another user's link")
            File.CreateSymbolicLink(Store, real);
        if (how == "writable")
        {
            await File.WriteAllTextAsync(Path.Combine(Store, "something else"), "", Cancel);
            File.SetUnixFileMode(Store, File.GetUnixFileMode(Store) | UnixFileMode.OtherWrite);
        }
        else
        {
            await RunAsync("chown", "-h", "4242", Store);
        }

        var before = Directory.GetFileSystemEntries(real);
        var failure = Assert.Throws<ImagePublishException>(() => ImageStore.Open(Store, new StoreOptions()));

        Assert.Equal("IMG3112", failure.Code.Id);
        Assert.Contains($"'{Store}' {why}", failure.Message, StringComparison.Ordinal);
        Assert.Contains("ImageStoreShared=true", failure.Message, StringComparison.Ordinal);
        Assert.Equal(before, Directory.GetFileSystemEntries(real));
    }

    [Fact]
    [ReliabilityCase(Area, "a store that is declared as shared", "used as it is; records of other users are not trusted")]
    public async Task ASharedStoreIsUsedButNotBelieved()
    {
        Directory.CreateDirectory(Store);
        File.SetUnixFileMode(Store, File.GetUnixFileMode(Store) | UnixFileMode.OtherWrite);
        await RunAsync("chown", "4242", Store);
        var mode = File.GetUnixFileMode(Store);
        var (hers, mine) = (StoreKey.Derive(RandomNumberGenerator.GetBytes(32)), StoreKey.Derive(RandomNumberGenerator.GetBytes(32)));

        await Cache(hers, isShared: true).RememberAsync(Tar, "gzip", Layer, Cancel);

        Assert.Null(await Cache(mine, isShared: true).FindAsync(Tar, "gzip", Cancel));
        await Cache(mine, isShared: true).RememberAsync(Tar, "gzip", Layer with { Size = 6 }, Cancel);
        Assert.Equal(Layer, await Cache(hers, isShared: true).FindAsync(Tar, "gzip", Cancel));
        Assert.Equal(mode, File.GetUnixFileMode(Store));
    }

    [Fact]
    [ReliabilityCase(Area, "records that someone else wrote into the store, with the seal of an earlier version or without one", "ignored")]
    public async Task ARecordWithoutTheKeyIsNotBelieved()
    {
        var key = StoreKey.Derive(RandomNumberGenerator.GetBytes(32));
        await Cache(key).RememberDiffIdAsync(Layer.Digest, Tar, Cancel);
        var file = Assert.Single(
            Directory.EnumerateFiles(Path.Combine(Store, ".imagepublish", "records"), "*", SearchOption.AllDirectories)
        );
        var lie = Encoding.UTF8.GetBytes(Digest.Compute("evil"u8).Value);
        var seal = SHA256.HashData([.. Encoding.UTF8.GetBytes($"diffids\n{Layer.Digest}\n"), .. lie]);

        await File.WriteAllBytesAsync(file, [.. seal, .. lie], Cancel);
        var earlier = Path.Combine(Store, ".imagepublish", "records", "diffids", Layer.Digest.Hex[..2], Layer.Digest.Hex);
        Directory.CreateDirectory(Path.GetDirectoryName(earlier)!);
        File.Copy(file, earlier);

        Assert.Null(await Cache(key).FindDiffIdAsync(Layer.Digest, Cancel));
        await Cache(key).RememberDiffIdAsync(Layer.Digest, Tar, Cancel);
        Assert.Equal(Tar, await Cache(key).FindDiffIdAsync(Layer.Digest, Cancel));
    }

    [Fact]
    [ReliabilityCase(Area, "a store that another machine filled", "its records are trusted with the same key only")]
    public async Task ARestoredStoreIsBelievedWithItsKey()
    {
        var secret = RandomNumberGenerator.GetBytes(32);
        await Cache(StoreKey.Derive(secret)).RememberAsync(Tar, "gzip", Layer, Cancel);

        Assert.Equal(Layer, await Cache(StoreKey.Derive(secret)).FindAsync(Tar, "gzip", Cancel));
        Assert.Equal(Cache(StoreKey.Derive(secret)).DeriveContentTagKey(16), Cache(StoreKey.Derive(secret)).DeriveContentTagKey(16));
        Assert.Null(await Cache(StoreKey.OfProcess).FindAsync(Tar, "gzip", Cancel));
        Assert.True(Cache(StoreKey.OfProcess).IsEmpty);
    }

    [Fact]
    [ReliabilityCase(Area, "the key of the store's records", "it is in a file that only its user can read, and the same for all processes")]
    public void TheKeyIsKeptInAFileOfItsOwn()
    {
        var file = Path.Combine(folder, "config", "imagepublish", "store.key");

        var keys = Enumerable
            .Range(0, 8)
            .AsParallel()
            .WithDegreeOfParallelism(8)
            .Select(_ => StoreKey.TryLoad(file, out var _)!.Id)
            .ToArray();

        Assert.Single(keys.Distinct());
        Assert.Equal([file], Directory.EnumerateFileSystemEntries(Path.GetDirectoryName(file)!));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        Assert.Equal((UnixFileMode)0, File.GetUnixFileMode(Path.GetDirectoryName(file)!) & Others);
        Assert.DoesNotContain(keys[0], File.ReadAllText(file), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("readable")]
    [InlineData("another user's")]
    [InlineData("link")]
    [InlineData("damaged")]
    [ReliabilityCase(Area, "a key that others could have read or chosen", "it is replaced with a new one")]
    public async Task AKeyThatOthersKnowIsReplaced(string how)
    {
        var file = Path.Combine(folder, "store.key");
        var known = StoreKey.TryLoad(file, out _)!.Id;
        if (how == "readable")
            File.SetUnixFileMode(file, File.GetUnixFileMode(file) | UnixFileMode.OtherRead);
        if (how == "another user's")
            await RunAsync("chown", "4242", file);
        if (how == "link")
        {
            File.Move(file, file + ".elsewhere");
            File.CreateSymbolicLink(file, file + ".elsewhere");
        }

        if (how == "damaged")
            await File.WriteAllTextAsync(file, "0123", Cancel);

        var key = StoreKey.TryLoad(file, out _)!.Id;

        Assert.NotEqual(known, key);
        Assert.Equal(key, StoreKey.TryLoad(file, out _)!.Id);
    }

    [Fact]
    public async Task WithoutAPlaceForItThereIsNoKey()
    {
        // A file in a folder's place, which not even root can write into.
        await File.WriteAllTextAsync(Path.Combine(folder, "file"), "", Cancel);

        Assert.Null(StoreKey.TryLoad(Path.Combine(folder, "file", "store.key"), out var problem));
        Assert.NotNull(problem);
    }

    [Fact]
    [ReliabilityCase(Area, "another user tries to lock the store", "its locks can't be opened")]
    public async Task AnotherUserCanNotLockTheStore()
    {
        var store = ImageStore.Open(Store, new StoreOptions());
        (await store.BeginSessionAsync(Cancel)).Dispose();
        // The way there is open, so that it is the store that keeps others out.
        File.SetUnixFileMode(folder, File.GetUnixFileMode(folder) | UnixFileMode.OtherExecute | UnixFileMode.OtherRead);
        var path = Path.Combine(Store, ".imagepublish", "lock");

        var (code, error) = await TryRunAsync(
            "setpriv",
            "--reuid=65534",
            "--regid=65534",
            "--clear-groups",
            "flock",
            "--nonblock",
            path,
            "true"
        );

        Assert.NotEqual(0, code);
        Assert.Contains("Permission denied", error, StringComparison.Ordinal);
    }

    private LayerCache Cache(StoreKey key, bool isShared = false) =>
        new(ImageStore.Open(Store, new StoreOptions { IsShared = isShared, Key = () => key }));

    private static async Task RunAsync(string program, params string[] arguments)
    {
        var (code, error) = await TryRunAsync(program, arguments);
        Assert.True(code == 0, error);
    }

    private static async Task<(int Code, string Error)> TryRunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(
            new ProcessStartInfo(program, arguments) { RedirectStandardError = true, RedirectStandardOutput = true }
        )!;
        var output = process.StandardOutput.ReadToEndAsync(Cancel);
        var error = await process.StandardError.ReadToEndAsync(Cancel);
        await process.WaitForExitAsync(Cancel);
        return (process.ExitCode, error + await output);
    }
}

using System.Security.Cryptography;
using System.Text;
using ImagePublish.Common;
using ImagePublish.Oci;

namespace ImagePublish.Storage;

/// <summary>The secret under which a user's records in a store are written. It is kept outside the store, so whoever can write to the store
/// can't write records that are believed.</summary>
internal sealed class StoreKey
{
    private const int Size = 32;

    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(10);

    private readonly byte[] key;

    private StoreKey(byte[] key)
    {
        this.key = key;
        Id = Convert.ToHexStringLower(Derive("id", 8));
    }

    public static StoreKey OfProcess { get; } = new(RandomNumberGenerator.GetBytes(Size));

    /// <summary>A name of the key that does not give it away: two keys with the same name are the same.</summary>
    public string Id { get; }

    public static StoreKey Derive(ReadOnlySpan<byte> secret) =>
        secret.Length >= Size
            ? new StoreKey(SHA256.HashData(secret))
            : throw new ArgumentException($"A secret has at least {Size} bytes.", nameof(secret));

    /// <summary>Reads the key of a file, and creates the file where there is none. A file that others could have read or written is
    /// replaced.</summary>
    public static StoreKey? TryLoad(string file, out string? problem)
    {
        problem = null;
        try
        {
            return Read(file) ?? Create(file);
        }
        catch (Exception exception) when (StoreDisk.IsRefusal(exception))
        {
            problem = exception.Message;
            return null;
        }
    }

    public override string ToString() => Id;

    /// <summary>Bytes derived from the key for one purpose; they reveal neither the key nor those of another purpose.</summary>
    internal byte[] Derive(string purpose, int size) =>
        HKDF.Expand(HashAlgorithmName.SHA256, key, size, Encoding.UTF8.GetBytes($"ImagePublish.Tasks 1\n{purpose}"));

    /// <summary>The code that shows that a record was written by someone who has the key.</summary>
    internal byte[] Seal(string kind, Digest name, ReadOnlySpan<byte> content)
    {
        using var mac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, key);
        mac.AppendData(Encoding.UTF8.GetBytes($"ImagePublish.Tasks 1\nrecord\n{kind}\n{name}\n"));
        mac.AppendData(content);
        return mac.GetHashAndReset();
    }

    private static StoreKey? Read(string file)
    {
        if (!PrivateFiles.IsPrivate(file))
            return null;
        var text = File.ReadAllText(file).Trim();
        return text.Length == Size * 2 && text.All(char.IsAsciiHexDigit) ? new StoreKey(Convert.FromHexString(text)) : null;
    }

    // Under a lock, since the framework does not move a file to a free name in one step: of two processes, one would have a key that the
    // other has replaced.
    private static StoreKey Create(string file)
    {
        PrivateFiles.CreateFolder(Path.GetDirectoryName(file)!);
        var request = new FileLockRequest(file + ".lock", "makes the key of the local store's records", LongestWait)
        {
            Options = FileLockOptions.Temporary,
        };
        using var held = FileLock.Acquire(request);
        if (Read(file) is { } made)
            return made;
        var temporary = $"{file}.{Guid.NewGuid():N}";
        try
        {
            PrivateFiles.Write(temporary, Encoding.ASCII.GetBytes(Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(Size)) + "\n"));
            File.Move(temporary, file, overwrite: true);
        }
        finally
        {
            StoreDisk.Delete(temporary);
        }

        return Read(file) ?? throw new IOException($"'{file}' is not kept as a file of this user alone.");
    }
}

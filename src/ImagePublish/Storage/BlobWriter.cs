using System.Security.Cryptography;
using ImagePublish.Diagnostics;
using ImagePublish.Oci;

namespace ImagePublish.Storage;

/// <summary>A blob on its way into the store. It becomes one when it is committed and is deleted when it is disposed before.</summary>
#pragma warning disable CA1710 // A blob is what it makes; that it is written as a stream is the smaller part.
internal sealed class BlobWriter : Stream
#pragma warning restore CA1710
{
    private readonly StoreDisk disk;
    private readonly string path;
    private readonly Stream file;
    private readonly IncrementalHash? hash;
    private long length;
    private bool closed;

    internal BlobWriter(StoreDisk disk, bool verifies)
    {
        this.disk = disk;
        hash = verifies ? IncrementalHash.CreateHash(HashAlgorithmName.SHA256) : null;
        (path, file) = disk.CreateTemporary();
    }

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => !closed;

    public override long Length => length;

    public override long Position
    {
        get => length;
        set => throw new NotSupportedException();
    }

    /// <summary>Checks what was written and makes it a blob of the store.</summary>
    /// <exception cref="ImagePublishException"><c>IMG4005</c>: it is something else; <c>IMG3101</c>: the disk refuses.</exception>
    public Task<FileBlobSource> CommitAsync(Descriptor descriptor, CancellationToken cancellationToken) =>
        CommitAsync(descriptor, () => null, cancellationToken);

    internal async Task<FileBlobSource> CommitAsync(
        Descriptor descriptor,
        Func<ImagePublishException?> wrongContent,
        CancellationToken cancellationToken
    )
    {
        await CloseAsync();
        if (length != descriptor.Size || !await MatchesAsync(descriptor.Digest, cancellationToken))
        {
            throw wrongContent()
                ?? new ImagePublishException(
                    DiagnosticCodes.ContentMismatch,
                    $"Content for {descriptor.Digest} with {descriptor.Size} bytes is something else: {length} bytes. It was "
                        + "not kept; get it again from its source."
                );
        }

        disk.Touch(path);
        var target = disk.Layout.BlobFile(descriptor.Digest);
        await disk.MoveAsync(path, target, cancellationToken);
        disk.Growth.Add(length);
        return new FileBlobSource(descriptor, target);
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        try
        {
            file.Write(buffer);
        }
        catch (Exception exception) when (StoreDisk.IsRefusal(exception))
        {
            throw disk.Refused(path, exception);
        }

        Count(buffer);
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        try
        {
            await file.WriteAsync(buffer, cancellationToken);
        }
        catch (Exception exception) when (StoreDisk.IsRefusal(exception))
        {
            throw disk.Refused(path, exception);
        }

        Count(buffer.Span);
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override void Flush()
    {
        // The file is flushed once, when it is committed.
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            try
            {
                file.Dispose();
            }
            catch (Exception exception) when (StoreDisk.IsRefusal(exception))
            {
                // What could not be written is thrown away below.
            }

            hash?.Dispose();
            closed = true;
            StoreDisk.Delete(path);
        }

        base.Dispose(disposing);
    }

    private void Count(ReadOnlySpan<byte> buffer)
    {
        hash?.AppendData(buffer);
        length += buffer.Length;
    }

    private async Task CloseAsync()
    {
        closed = true;
        try
        {
            await file.DisposeAsync();
        }
        catch (Exception exception) when (StoreDisk.IsRefusal(exception))
        {
            throw disk.Refused(path, exception);
        }
    }

    private async Task<bool> MatchesAsync(Digest digest, CancellationToken cancellationToken)
    {
        if (hash is null)
            return true;
        if (digest.HashAlgorithm == HashAlgorithmName.SHA256)
            return digest.Matches(hash.GetHashAndReset());
        await using var written = File.OpenRead(path);
        return await digest.MatchesAsync(written, cancellationToken);
    }
}

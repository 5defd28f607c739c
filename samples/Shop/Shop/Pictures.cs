using Azure.Storage.Blobs;

namespace Shop;

/// <summary>The products' pictures, kept in Azure Blob Storage.</summary>
public sealed class Pictures(Lazy<BlobContainerClient> container)
{
    public async Task<Stream?> OpenAsync(string sku, CancellationToken cancellationToken)
    {
        var blob = container.Value.GetBlobClient($"{sku}.webp");
        return await blob.ExistsAsync(cancellationToken) ? await blob.OpenReadAsync(cancellationToken: cancellationToken) : null;
    }
}

using Grpc.Core;
using Microsoft.EntityFrameworkCore;
using Shop.Catalog;
using Shop.Grpc;

namespace Shop;

public sealed class StockService(CatalogContext catalog) : Stock.StockBase
{
    public override async Task<StockReply> Get(StockRequest request, ServerCallContext context)
    {
        var product = await catalog.Products.AsNoTracking().SingleOrDefaultAsync(p => p.Sku == request.Sku, context.CancellationToken)
            ?? throw new RpcException(new Status(StatusCode.NotFound, $"No product {request.Sku}."));
        return new StockReply { Sku = product.Sku, Quantity = product.Stock };
    }
}

using Azure.Storage.Blobs;
using Microsoft.EntityFrameworkCore;
using Serilog;
using Shop;
using Shop.Catalog;
using Shop.Orders;
using StackExchange.Redis;

var builder = WebApplication.CreateBuilder(args);
var configuration = builder.Configuration;

builder.Services.AddSerilog(log => log.ReadFrom.Configuration(configuration).WriteTo.Console());
builder.Services.AddTelemetry(configuration);
builder.Services.AddHttpClient("suppliers").AddStandardResilienceHandler();
builder.Services.AddHealthChecks();
builder.Services.AddGrpc();
builder.Services.AddGrpcReflection();
builder.Services.AddEndpointsApiExplorer();
builder.Services.AddSwaggerGen();
builder.Services.AddCatalog(configuration);
builder.Services.AddOrders(configuration);

builder.Services.AddSingleton(_ => new Lazy<Task<ConnectionMultiplexer>>(() =>
    ConnectionMultiplexer.ConnectAsync(configuration.GetConnectionString("Basket")!)
));
builder.Services.AddSingleton<Basket>();
builder.Services.AddSingleton(_ => new Lazy<BlobContainerClient>(() =>
    new BlobContainerClient(configuration.GetConnectionString("Pictures"), "pictures")
));
builder.Services.AddSingleton<Pictures>();

var app = builder.Build();

app.UseSerilogRequestLogging();
app.UseSwagger();
app.UseSwaggerUI();
app.UseDefaultFiles();
app.UseStaticFiles();

app.MapHealthChecks("/health");
app.MapGrpcService<StockService>();
app.MapGrpcReflectionService();

app.MapGet("/products", (CatalogContext catalog, CancellationToken cancellationToken) =>
    catalog.Products.AsNoTracking().OrderBy(product => product.Name).Take(50).ToListAsync(cancellationToken)
);
app.MapGet("/products/{sku}/picture", async (string sku, Pictures pictures, CancellationToken cancellationToken) =>
    await pictures.OpenAsync(sku, cancellationToken) is { } picture ? Results.Stream(picture, "image/webp") : Results.NotFound()
);
app.MapGet("/basket/{visitor}", (string visitor, Basket basket) => basket.GetAsync(visitor));
app.MapPut("/basket/{visitor}/{sku}", (string visitor, string sku, Basket basket) => basket.AddAsync(visitor, sku));
app.MapOrders();

app.Run();

#pragma warning disable ASPIRECOMPUTE003 // AddContainerRegistry is for evaluation.

var builder = DistributedApplication.CreateBuilder(args);

builder.UseImagePublish();
builder.AddContainerRegistry("registry", builder.Configuration["Registry"] ?? "ghcr.io", "acme");
builder.AddComposeFile();

var shop = builder.AddPostgres("postgres").AddDatabase("shop");
var inventory = builder.AddProject<Projects.Inventory>("inventory").WithHttpEndpoint().WithReference(shop);
builder.AddProject<Projects.Storefront>("storefront").WithHttpEndpoint().WithReference(inventory).WithExternalHttpEndpoints();

builder.Build().Run();

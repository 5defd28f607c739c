using Contracts;

var builder = WebApplication.CreateBuilder(args);
builder.Services.AddHttpClient("catalog", client =>
    client.BaseAddress = new Uri(builder.Configuration["Catalog"] ?? "http://catalog:8080")
);
var app = builder.Build();

app.MapGet("/", async (IHttpClientFactory clients) =>
    (await clients.CreateClient("catalog").GetFromJsonAsync<Product[]>("/products"))!.Sum(product => product.Price)
);

app.Run();

var builder = WebApplication.CreateBuilder(args);
// Aspire says where the inventory is: services__inventory__http__0.
var inventory = builder.Configuration["services:inventory:http:0"] ?? "http://localhost:5000";
builder.Services.AddHttpClient("inventory", client => client.BaseAddress = new Uri(inventory));
var app = builder.Build();

app.MapGet("/", (IHttpClientFactory clients) => clients.CreateClient("inventory").GetStringAsync("/"));

app.Run();

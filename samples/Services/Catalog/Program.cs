using Contracts;

var app = WebApplication.Create(args);

Product[] products = [new(1, "Kettle", 39.90m), new(2, "Toaster", 29.90m)];
app.MapGet("/products", () => products);

app.Run();

using Npgsql;

var builder = WebApplication.CreateBuilder(args);
var shop = new NpgsqlConnectionStringBuilder(builder.Configuration.GetConnectionString("shop"));
builder.Services.AddSingleton(NpgsqlDataSource.Create(shop));
var app = builder.Build();

app.MapGet("/", () => $"The inventory is in the database '{shop.Database}' on {shop.Host}.");

app.MapGet(
    "/products",
    async (NpgsqlDataSource database) =>
    {
        await using var command = database.CreateCommand("SELECT name FROM products");
        await using var reader = await command.ExecuteReaderAsync();
        var names = new List<string>();
        while (await reader.ReadAsync())
            names.Add(reader.GetString(0));
        return names;
    }
);

app.Run();

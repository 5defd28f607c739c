namespace Shop.Catalog;

public sealed class Product
{
    public int Id { get; init; }

    public required string Sku { get; init; }

    public required string Name { get; set; }

    public decimal Price { get; set; }

    public int Stock { get; set; }
}

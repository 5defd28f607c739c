namespace Contracts;

/// <summary>What the services tell each other.</summary>
public sealed record Product(int Id, string Name, decimal Price);

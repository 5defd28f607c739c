using FluentValidation;

namespace Shop.Orders;

public sealed record Order(string Customer, IReadOnlyList<OrderLine> Lines);

public sealed record OrderLine(string Sku, int Quantity);

public sealed record OrderPlaced(Guid Id, Order Order);

public sealed class OrderValidator : AbstractValidator<Order>
{
    public OrderValidator()
    {
        RuleFor(order => order.Customer).NotEmpty().EmailAddress();
        RuleFor(order => order.Lines).NotEmpty();
        RuleForEach(order => order.Lines).ChildRules(line => line.RuleFor(l => l.Quantity).InclusiveBetween(1, 100));
    }
}

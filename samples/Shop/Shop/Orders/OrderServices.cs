using Confluent.Kafka;
using FluentValidation;
using MassTransit;

namespace Shop.Orders;

public static class OrderServices
{
    /// <summary>Adds what takes orders. Without <c>ConnectionStrings:Bus</c> messages stay inside the process.</summary>
    public static IServiceCollection AddOrders(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddSingleton(_ => new Lazy<IProducer<string, string>>(() =>
            new ProducerBuilder<string, string>(
                new ProducerConfig { BootstrapServers = configuration.GetConnectionString("Stream") }
            ).Build()
        ));
        services.AddSingleton<IValidator<Order>, OrderValidator>();
        return services.AddMassTransit(bus =>
        {
            bus.AddConsumer<OrderPlacedConsumer>();
            if (configuration.GetConnectionString("Bus") is { Length: > 0 } host)
                bus.UsingRabbitMq(
                    (context, rabbit) =>
                    {
                        rabbit.Host(new Uri(host));
                        rabbit.ConfigureEndpoints(context);
                    }
                );
            else
                bus.UsingInMemory((context, memory) => memory.ConfigureEndpoints(context));
        });
    }

    public static void MapOrders(this IEndpointRouteBuilder app) =>
        app.MapPost(
            "/orders",
            async (Order order, IValidator<Order> validator, IPublishEndpoint bus, CancellationToken cancellationToken) =>
            {
                var validation = await validator.ValidateAsync(order, cancellationToken);
                if (!validation.IsValid)
                    return Results.ValidationProblem(validation.ToDictionary());

                var placed = new OrderPlaced(Guid.NewGuid(), order);
                await bus.Publish(placed, cancellationToken);
                return Results.Accepted($"/orders/{placed.Id}", placed);
            }
        );
}

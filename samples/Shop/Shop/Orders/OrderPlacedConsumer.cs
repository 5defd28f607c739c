using System.Text.Json;
using Confluent.Kafka;
using MassTransit;

namespace Shop.Orders;

/// <summary>Passes each order on to the analysts' stream.</summary>
public sealed class OrderPlacedConsumer(Lazy<IProducer<string, string>> stream) : IConsumer<OrderPlaced>
{
    public Task Consume(ConsumeContext<OrderPlaced> context) =>
        stream.Value.ProduceAsync(
            "orders",
            new Message<string, string> { Key = context.Message.Id.ToString(), Value = JsonSerializer.Serialize(context.Message.Order) },
            context.CancellationToken
        );
}

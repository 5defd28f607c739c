using StackExchange.Redis;

namespace Shop;

/// <summary>A visitor's basket, kept in Redis. Connects when it is first used.</summary>
public sealed class Basket(Lazy<Task<ConnectionMultiplexer>> redis)
{
    public async Task<IReadOnlyDictionary<string, int>> GetAsync(string visitor)
    {
        var entries = await (await redis.Value).GetDatabase().HashGetAllAsync(Key(visitor));
        return entries.ToDictionary(entry => entry.Name.ToString(), entry => (int)entry.Value);
    }

    public async Task<long> AddAsync(string visitor, string sku) =>
        await (await redis.Value).GetDatabase().HashIncrementAsync(Key(visitor), sku);

    private static RedisKey Key(string visitor) => $"basket:{visitor}";
}

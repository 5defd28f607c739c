namespace Worker;

/// <summary>Says every few seconds that it is there, and ends at once when the container is stopped.</summary>
public sealed class Ticker(IConfiguration configuration, ILogger<Ticker> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(configuration.GetValue("Tick:Seconds", 1)));
        do
        {
            logger.LogInformation("Still here.");
        } while (await timer.WaitForNextTickAsync(stoppingToken));
    }
}

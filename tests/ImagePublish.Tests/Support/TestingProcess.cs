using System.Diagnostics;

namespace ImagePublish.Tests.Support;

/// <summary>The program that does what only another process can show (<c>tests/ImagePublish.Testing.Process</c>).</summary>
internal static class TestingProcess
{
    public static string Assembly { get; } = Path.Combine(AppContext.BaseDirectory, "ImagePublish.Testing.Process.dll");

    /// <summary>Runs it with a variable of its environment set.</summary>
    /// <returns>The lines that it wrote.</returns>
    public static async Task<string[]> RunAsync((string Name, string Value) variable, params string[] arguments)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!, [Assembly, .. arguments])
        {
            Environment = { [variable.Name] = variable.Value },
            RedirectStandardOutput = true,
        };
        using var process = Process.Start(start)!;
        var said = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, process.ExitCode);
        return said.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }
}

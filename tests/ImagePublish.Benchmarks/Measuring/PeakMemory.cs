using System.Globalization;

namespace ImagePublish.Benchmarks.Measuring;

/// <summary>The most that a process held in memory, as the kernel keeps it.</summary>
internal static class PeakMemory
{
    /// <summary>In bytes; 0 of a process that has ended.</summary>
    public static long Of(int process)
    {
        try
        {
            var line = File.ReadLines($"/proc/{process}/status")
                .FirstOrDefault(line => line.StartsWith("VmHWM:", StringComparison.Ordinal));
            return line is null
                ? 0
                : 1024 * long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
        }
        catch (IOException)
        {
            return 0;
        }
    }

    /// <summary>Lets this process's count from what it holds now (proc_pid_clear_refs(5)).</summary>
    public static void Reset()
    {
        GC.Collect();
        File.WriteAllText("/proc/self/clear_refs", "5");
    }
}

using System.Diagnostics;

namespace ImagePublish.Tasks.Tests.Support;

/// <summary>Processes that outlive who started them, known by a variable that they inherited.</summary>
public static class MarkedProcesses
{
    /// <summary>Ends each whose environment has a variable that begins like this, <c>NAME=value</c>.</summary>
    public static void End(string variable)
    {
        foreach (var process in Process.GetProcesses())
        {
            using (process)
            {
                if (Has(process.Id, variable))
                    process.Kill();
            }
        }
    }

    private static bool Has(int process, string variable)
    {
        try
        {
            return File.ReadAllText($"/proc/{process}/environ").Split('\0').Any(one => one.StartsWith(variable, StringComparison.Ordinal));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}

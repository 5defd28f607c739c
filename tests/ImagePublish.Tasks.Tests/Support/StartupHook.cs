using System.Text;

/// <summary>
/// What a client of an MSBuild server runs first (DOTNET_STARTUP_HOOKS, which fixes the class's name): it shows the output of a build once
/// the build has ended. The client of MSBuild 18.9 loses a result, and all output before it, that arrives just before it begins to wait for
/// more (https://github.com/dotnet/msbuild/issues/14172). One that waits while it writes finds the result behind the output.
/// </summary>
internal static class StartupHook
{
    public const string Variable = "DOTNET_STARTUP_HOOKS";

    public static void Initialize()
    {
        // Neither the server nor anything that it starts is a client.
        Environment.SetEnvironmentVariable(Variable, null);
        Console.SetOut(new OutputAfterBuild(Console.Out));
        Console.SetError(new OutputAfterBuild(Console.Error));
    }

    private sealed class OutputAfterBuild(TextWriter output) : TextWriter
    {
        // The thread that receives from the server, as far as Linux keeps its name. It ends when it has received the build's result.
        private const string Receiver = "MSBuild Client ";

        public override Encoding Encoding => output.Encoding;

        public override void Write(char value) => Write(value.ToString());

        public override void Write(char[] buffer, int index, int count) => Write(new string(buffer, index, count));

        public override void Write(string? value)
        {
            var receiver = Directory.GetDirectories("/proc/self/task").FirstOrDefault(IsReceiver);
            while (Directory.Exists(receiver))
                Thread.Sleep(10);
            output.Write(value);
        }

        private static bool IsReceiver(string thread)
        {
            try
            {
                return File.ReadAllText(Path.Combine(thread, "comm")).StartsWith(Receiver, StringComparison.Ordinal);
            }
            catch (IOException)
            {
                // It has just ended.
                return false;
            }
        }
    }
}

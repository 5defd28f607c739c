using System.Diagnostics;
using System.Text;
using ImagePublish.Common;

namespace ImagePublish.Registries.Auth.Credentials;

/// <summary>What a credential helper left behind.</summary>
internal sealed record HelperResult(int ExitCode, ReadOnlyMemory<byte> Output)
{
    /// <summary>The output as text.</summary>
    public string Text => Encoding.UTF8.GetString(Output.Span);

    /// <summary>Never shows the output.</summary>
    public override string ToString() => FormattableString.Invariant($"HelperResult {{ {ExitCode} }}");
}

/// <summary>Runs a credential helper: no shell, a limit on time and output, nothing left running.</summary>
internal static class HelperProcess
{
    private const int LargestOutput = 64 * 1024;

    /// <summary>Runs a helper.</summary>
    /// <exception cref="TimeoutException">It ran too long.</exception>
    /// <exception cref="IOException">It says too much.</exception>
    public static async Task<HelperResult> RunAsync(
        CredentialEnvironment environment,
        string program,
        string verb,
        byte[] input,
        CancellationToken ct
    )
    {
        using var process = Programs.Start(new ProgramStart(program, [verb]) { Secrets = ProgramSecrets.CredentialHelper });
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(environment.HelperTimeout);
        try
        {
            return await TalkAsync(process, input, limit.Token);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            throw new TimeoutException();
        }
        finally
        {
            End(process);
        }
    }

    private static async Task<HelperResult> TalkAsync(Process process, byte[] input, CancellationToken ct)
    {
        var errors = process.StandardError.BaseStream.CopyToAsync(Stream.Null, ct);
        var output = ReadAsync(process.StandardOutput.BaseStream, ct);
        await WriteAsync(process, input, ct).WaitAsync(ct);
        // A grandchild may keep the pipes open after the helper itself has ended: waiting for them is limited too.
        var bytes = await output.WaitAsync(ct);
        await process.WaitForExitAsync(ct);
        await errors.WaitAsync(ct);
        return new HelperResult(process.ExitCode, bytes);
    }

    private static async Task WriteAsync(Process process, byte[] input, CancellationToken ct)
    {
        try
        {
            await process.StandardInput.BaseStream.WriteAsync(input, ct);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It ended without reading; what it says and its exit code tell the rest.
        }
    }

    private static async Task<ReadOnlyMemory<byte>> ReadAsync(Stream output, CancellationToken ct)
    {
        var buffer = new byte[LargestOutput + 1];
        var length = await output.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, ct);
        return length <= LargestOutput ? buffer.AsMemory(0, length) : throw new IOException("it says more than 64 KiB");
    }

    private static void End(Process process)
    {
        try
        {
            if (!process.HasExited)
                process.Kill(entireProcessTree: true);
        }
        catch (Exception exception)
            when (exception is InvalidOperationException or System.ComponentModel.Win32Exception or AggregateException)
        {
            // It has ended by itself, or is not ours to end.
        }
    }
}

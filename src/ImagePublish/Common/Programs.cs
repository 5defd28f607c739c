using System.Buffers;
using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;

namespace ImagePublish.Common;

/// <summary>Which secrets of the environment a program needs.</summary>
internal enum ProgramSecrets
{
    None,

    /// <summary>Those that a container engine's client reaches its engine with.</summary>
    Engine,

    /// <summary>All but this product's own: a credential helper signs in to a cloud with what it finds there.</summary>
    CredentialHelper,
}

/// <summary>A program to run. No shell is involved.</summary>
internal sealed record ProgramStart(string File, IReadOnlyList<string> Arguments)
{
    public ProgramSecrets Secrets { get; init; }

    /// <summary>The folder that it starts in; null for this process's.</summary>
    public string? WorkingDirectory { get; init; }

    /// <summary>Variables that are set, or with null removed.</summary>
    public IReadOnlyDictionary<string, string?> Variables { get; init; } = new Dictionary<string, string?>();

    /// <summary>Writes its input; null for none.</summary>
    public Func<Stream, CancellationToken, Task>? WriteInputAsync { get; init; }

    /// <summary>How long it may run; null for as long as it takes.</summary>
    public TimeSpan? TimeLimit { get; init; }

    /// <summary>How long it may take nothing of its input, or once it has that write nothing; null for as long as it likes.</summary>
    public TimeSpan? IdleLimit { get; init; }

    /// <summary>How long after its end its output is read: a process that it left running may keep that open for ever.</summary>
    public TimeSpan LingerLimit { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>The clock for <see cref="IdleLimit"/>.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>The most bytes that it may write to its output. What it writes beyond that to its error output is dropped.</summary>
    public int MaxOutput { get; init; } = 64 << 20;
}

/// <summary>What a program that has ended left behind.</summary>
internal sealed record ProgramResult(int ExitCode, ReadOnlyMemory<byte> Output, string Errors)
{
    public string Text => Encoding.UTF8.GetString(Output.Span);

    public override string ToString() => FormattableString.Invariant($"ProgramResult {{ {ExitCode} }}");
}

/// <summary>Finds and runs other programs. Nothing else in this product does either.</summary>
/// <remarks>
/// <para>
/// <see cref="Process.Start(ProcessStartInfo)"/> also looks in the current folder, which is the project's during a build, and hands over
/// the whole environment. Here, only absolute folders of the PATH count, for the program and for what it starts itself, and secrets that it
/// has no use for are removed from its environment.
/// </para>
/// <para>A library (CliWrap) would bound neither the output nor the wait for processes that a program leaves running.</para>
/// </remarks>
internal static partial class Programs
{
    private const string PathVariable = "PATH";

    // A killed process needs a moment to end.
    private static readonly TimeSpan LongestDeath = TimeSpan.FromSeconds(5);

    private static readonly StringComparer NameComparer = OperatingSystem.IsWindows()
        ? StringComparer.OrdinalIgnoreCase
        : StringComparer.Ordinal;

    private static readonly AsyncLocal<IReadOnlyDictionary<string, string?>?> KeptEnvironment = new();

    private static readonly string[] OwnSecrets =
    [
        "IMAGE_CACHE_KEY",
        "IMAGE_SIGNING_PASSWORD",
        "SIGSTORE_ID_TOKEN",
        "DOCKER_AUTH_CONFIG",
        "DOTNET_CONTAINER_REGISTRY_PWORD",
        "DOTNET_CONTAINER_PUSH_REGISTRY_PWORD",
        "DOTNET_CONTAINER_PULL_REGISTRY_PWORD",
        "SDK_CONTAINER_REGISTRY_PWORD",
    ];

    private static readonly string[] EngineSecrets = ["CONTAINER_PASSPHRASE", "CONTAINER_SSHKEY"];
    private static readonly string[] Addresses = ["CONTAINER_HOST", "DOCKER_HOST"];

    private static IEnumerable<KeyValuePair<string, string?>> Inherited =>
        KeptEnvironment.Value is { } kept ? kept : new ProcessStartInfo().Environment;

    /// <summary>From here on, the caller's programs are found and started with these variables in place of this process's, which may
    /// change meanwhile.</summary>
    public static void KeepEnvironment(IReadOnlyDictionary<string, string?> variables) => KeptEnvironment.Value = variables;

    public static string? Find(string program, string? path, bool isWindows)
    {
        string[] names = isWindows ? [program + ".exe", program + ".cmd"] : [program];
        return Folders(path, isWindows).SelectMany(folder => names.Select(name => Path.Combine(folder, name))).FirstOrDefault(IsProgram);
    }

    /// <summary>Finds a program in the absolute folders of this process's PATH.</summary>
    public static string? Find(string program) =>
        Find(
            program,
            Inherited.FirstOrDefault(variable => NameComparer.Equals(variable.Key, PathVariable)).Value,
            OperatingSystem.IsWindows()
        );

    /// <summary>Runs a program to its end. Whatever happens, it and what it started have ended afterwards, or are being killed.</summary>
    /// <exception cref="System.ComponentModel.Win32Exception">It can't be started.</exception>
    /// <exception cref="TimeoutException">It took longer than one of its time limits.</exception>
    /// <exception cref="IOException">It wrote more than its limit.</exception>
    public static async Task<ProgramResult> RunAsync(ProgramStart start, CancellationToken cancellationToken)
    {
        using var process = Start(start);
        using var watch = new IdleWatch(start.IdleLimit ?? Timeout.InfiniteTimeSpan, start.Time, cancellationToken);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(watch.Token);
        if (start.TimeLimit is { } timeLimit)
            limit.CancelAfter(timeLimit);
        try
        {
            return await ExchangeAsync(process, start, watch, limit.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException();
        }
        finally
        {
            await KillAsync(process);
        }
    }

    /// <summary>Opens a web page, or one that was written on this machine, with the desktop's browser.</summary>
    /// <exception cref="System.ComponentModel.Win32Exception">It can't be started.</exception>
    public static bool OpenPage(Uri page)
    {
        ArgumentNullException.ThrowIfNull(page);
        // Any other file could be a program.
        var isWritten = page is { IsFile: true, IsUnc: false } && page.LocalPath.EndsWith(".html", StringComparison.OrdinalIgnoreCase);
        if (page.Scheme is not ("https" or "http") && !isWritten)
            throw new ArgumentException("Only web pages are opened.", nameof(page));
        if (OperatingSystem.IsWindows())
        {
            // Windows looks up the browser by the scheme, not on the PATH.
            using var opened = Process.Start(new ProcessStartInfo(page.AbsoluteUri) { UseShellExecute = true });
            return true;
        }

        if (Find(OperatingSystem.IsMacOS() ? "open" : "xdg-open") is not { } opener)
            return false;
        // Not waited for: it may run as long as the browser.
        using var opening = Start(new ProgramStart(opener, [page.AbsoluteUri]));
        opening.StandardInput.Close();
        return true;
    }

    internal static IReadOnlyDictionary<string, string?> EnvironmentOf(ProgramStart start)
    {
        var environment = new Dictionary<string, string?>(NameComparer);
        foreach (var (name, value) in Inherited.Where(variable => IsHandedOver(variable.Key, variable.Value, start.Secrets)))
            environment[name] = value;
        if (environment.TryGetValue(PathVariable, out var path))
            environment[PathVariable] = string.Join(Path.PathSeparator, Folders(path, OperatingSystem.IsWindows()));
        foreach (var (name, value) in start.Variables)
        {
            if (value is null)
                environment.Remove(name);
            else
                environment[name] = value;
        }

        return environment;
    }

    internal static bool IsHandedOver(string name, string? value, ProgramSecrets secrets)
    {
        if (
            name.StartsWith("IMAGE_REGISTRY_", StringComparison.OrdinalIgnoreCase)
            || OwnSecrets.Contains(name, StringComparer.OrdinalIgnoreCase)
        )
            return false;
        if (
            secrets == ProgramSecrets.CredentialHelper
            || (secrets == ProgramSecrets.Engine && EngineSecrets.Contains(name, StringComparer.Ordinal))
        )
            return true;
        if (SecretName().IsMatch(name) || value?.Contains("PRIVATE KEY-----", StringComparison.Ordinal) == true)
            return false;
        // Programs reach the network through proxies, passwords and all.
        var mayHavePassword =
            name.EndsWith("_PROXY", StringComparison.OrdinalIgnoreCase)
            || (secrets == ProgramSecrets.Engine && Addresses.Contains(name, StringComparer.Ordinal));
        return mayHavePassword || value is null || !AddressWithPassword().IsMatch(value);
    }

    private static async Task<ProgramResult> ExchangeAsync(
        Process process,
        ProgramStart start,
        IdleWatch watch,
        CancellationToken cancellationToken
    )
    {
        var input = WriteInputAsync(process, start, watch, cancellationToken);
        var output = new Capture(process.StandardOutput.BaseStream, start.MaxOutput, dropsRest: false, Received);
        var errors = new Capture(process.StandardError.BaseStream, start.MaxOutput, dropsRest: true, Received);
        await input.WaitAsync(cancellationToken);
        var exit = process.WaitForExitAsync(cancellationToken);
        // One that writes too much may never end.
        await await Task.WhenAny(exit, output.Completion);
        await exit;
        try
        {
            await Task.WhenAll(output.Completion, errors.Completion).WaitAsync(start.LingerLimit, cancellationToken);
        }
        catch (TimeoutException)
        {
            // The program has written all that it will; only a process that it left running has not.
        }

        return new ProgramResult(process.ExitCode, output.Content, Encoding.UTF8.GetString(errors.Content));

        // Until then its input decides.
        void Received()
        {
            if (input.IsCompleted)
                watch.Touch();
        }
    }

    private static async Task WriteInputAsync(Process process, ProgramStart start, IdleWatch watch, CancellationToken cancellationToken)
    {
        try
        {
            if (start.WriteInputAsync is { } write)
                await write(new SendingStream(process.StandardInput.BaseStream, watch), cancellationToken);
            watch.Touch();
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It ended without reading; its exit code and its output say why.
            watch.Touch();
        }
    }

    private static async Task KillAsync(Process process)
    {
        try
        {
            if (process.HasExited)
                return;
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync(CancellationToken.None).WaitAsync(LongestDeath);
        }
        catch (Exception exception)
            when (exception is InvalidOperationException or System.ComponentModel.Win32Exception or AggregateException or TimeoutException)
        {
            // It has ended by itself, or can't be killed.
        }
    }

    private static Process Start(ProgramStart start)
    {
        ArgumentNullException.ThrowIfNull(start);
        if (!Path.IsPathFullyQualified(start.File))
            throw new ArgumentException("The program's path must be absolute.", nameof(start));
        var info = new ProcessStartInfo(start.File, start.Arguments)
        {
            CreateNoWindow = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            StandardErrorEncoding = Encoding.UTF8,
            StandardOutputEncoding = Encoding.UTF8,
            UseShellExecute = false,
            WorkingDirectory = start.WorkingDirectory ?? "",
        };
        var environment = EnvironmentOf(start);
        info.Environment.Clear();
        foreach (var (name, value) in environment)
            info.Environment[name] = value;
        return Process.Start(info)!;
    }

    private static IEnumerable<string> Folders(string? path, bool isWindows) =>
        (path ?? "").Split(isWindows ? ';' : ':').Select(folder => folder.Trim('"')).Where(Path.IsPathFullyQualified);

    private static bool IsProgram(string path) =>
        File.Exists(path)
        && (
            OperatingSystem.IsWindows()
            || (File.GetUnixFileMode(path) & (UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute)) != 0
        );

    // GITHUB_TOKEN, SYSTEM_ACCESSTOKEN, CI_JOB_JWT_V2, AWS_SECRET_ACCESS_KEY, AZURE_DEVOPS_EXT_PAT, NuGetPackageSourceCredentials_acme,
    // VSS_NUGET_EXTERNAL_FEED_ENDPOINTS, ...
    [GeneratedRegex(
        @"(PASSWORD|PASSWD|PASSPHRASE|SECRET|CREDENTIAL|APIKEY|CONNECTION_?STRING)"
            + @"|TOKENS?(_|\z)|(\A|_)(AUTH|KEY|PAT|PASS)\z|_PWD\z|(\A|_)JWT(_|\z)|FEED_ENDPOINTS\z",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant
    )]
    private static partial Regex SecretName();

    [GeneratedRegex(@"://[^/?#\s@]*:[^/?#\s]*@")]
    private static partial Regex AddressWithPassword();

    /// <summary>What a program writes, read by a thread of its own: where all threads of the pool are busy, as in a build on a loaded
    /// machine, they get to it long after the program has ended.</summary>
    private sealed class Capture
    {
        private const int ReadSize = 16 * 1024;
        private const int StackSize = 256 * 1024;

        private readonly Lock gate = new();
        private readonly ArrayBufferWriter<byte> content = new();
        private readonly TaskCompletionSource completion = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Capture(Stream source, int limit, bool dropsRest, Action received) =>
            new Thread(() => Read(source, limit, dropsRest, received), StackSize) { IsBackground = true }.Start();

        /// <summary>Ends with the source, or fails where it has more than the limit.</summary>
        public Task Completion => completion.Task;

        public byte[] Content
        {
            get
            {
                lock (gate)
                    return content.WrittenSpan.ToArray();
            }
        }

        private void Read(Stream source, int limit, bool dropsRest, Action received)
        {
            try
            {
                Copy(source, limit, dropsRest, received);
                completion.SetResult();
            }
#pragma warning disable CA1031 // An exception of a thread ends the process.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                completion.SetException(exception);
            }
        }

        private void Copy(Stream source, int limit, bool dropsRest, Action received)
        {
            var buffer = new byte[ReadSize];
            for (int read; (read = source.Read(buffer)) > 0; )
            {
                received();
                lock (gate)
                {
                    var count = Math.Min(read, limit - content.WrittenCount);
                    if (count < read && !dropsRest)
                        throw new IOException($"it writes more than {limit >> 10} KiB");
                    content.Write(buffer.AsSpan(0, count));
                }
            }
        }
    }
}

using System.Globalization;
using System.IO.Compression;
using System.Runtime.InteropServices;
using ImagePublish.Benchmarks.Measuring;
using ImagePublish.Layers;
using ImagePublish.Layers.Deflate;
using ImagePublish.Tasks.Tests.Support;

[assembly: DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]

namespace ImagePublish.Benchmarks.Cases;

/// <summary>This package's deflate beside the best C libraries: the size, and the processor time of one core.</summary>
internal sealed partial class DeflateSpeed(int rounds)
{
    private const int RandomSize = 32_000_000;
    private const int ThreadCpuTime = 3;

    private static readonly int BlockSize = new GzipEncoding(level: null).BlockSize;

    private readonly Deflater deflater = new();
    private readonly byte[] block = new byte[Deflater.WindowSize + BlockSize];
    private readonly byte[] output = new byte[Deflater.MaxSize(BlockSize)];

    public async Task<string> RunAsync(Laboratory laboratory, CancellationToken cancellationToken)
    {
        List<(string Name, Func<string, CancellationToken, Task<(long Size, double Seconds)>> Run)> ways =
        [
            ("this package", InProcess(Own)),
            .. new[] { 1, 6 }.Select(level => ($"zlib-ng of .NET, level {level}", InProcess(input => Zlib(input, level)))),
            .. new[] { 1, 2, 3, 4, 5, 6 }.Select(level => ($"libdeflate, level {level}", InProcess(input => LibDeflate(input, level)))),
            .. new[] { 0, 1, 2, 3 }.Select(level => ($"ISA-L, level {level}", Igzip(level))),
        ];
        List<(string Name, string File)> inputs =
        [
            ("samples/Shop", await ShopAsync(laboratory, cancellationToken)),
            ("text", Text(laboratory)),
            ("random", Random(laboratory)),
        ];
        var lines = new List<string>
        {
            $"| | {string.Join(" | ", inputs.Select(input => $"{input.Name}, {Megabytes(new FileInfo(input.File).Length)}"))} |",
        };
        lines.Add($"|---|{string.Concat(inputs.Select(_ => "---:|"))}");
        var cells = new Dictionary<(string, string), (long Size, List<double> Seconds)>();
        for (var round = 0; round < rounds; round++)
        {
            foreach (var input in inputs)
            foreach (var way in ways)
            {
                var (size, seconds) = await way.Run(input.File, cancellationToken);
                if (!cells.TryGetValue((way.Name, input.Name), out var cell))
                    cells[(way.Name, input.Name)] = cell = (size, []);
                cell.Seconds.Add(seconds);
                Laboratory.Tell(
                    string.Create(CultureInfo.InvariantCulture, $"{input.Name, -12} {way.Name, -28} {size, 12:N0} {seconds:0.000} s")
                );
            }
        }

        foreach (var way in ways)
        {
            var results = inputs.Select(input =>
            {
                var (size, seconds) = cells[(way.Name, input.Name)];
                var speed = new FileInfo(input.File).Length / 1e6 / Runs.Median(seconds);
                return double.IsFinite(speed)
                    ? string.Create(CultureInfo.InvariantCulture, $"{Megabytes(size)}, {speed:0} MB/s")
                    : $"{Megabytes(size)}, too fast to measure";
            });
            lines.Add($"| {way.Name} | {string.Join(" | ", results)} |");
        }

        return string.Join('\n', lines);
    }

    private static Func<string, CancellationToken, Task<(long, double)>> InProcess(Func<byte[], long> compress) =>
        async (file, cancellationToken) =>
        {
            var input = await File.ReadAllBytesAsync(file, cancellationToken);
            var start = ThreadSeconds();
            var size = compress(input);
            return (size, ThreadSeconds() - start);
        };

    // As a layer is compressed: block by block, each with the 32 KiB before it.
    private long Own(byte[] input)
    {
        var size = 0L;
        for (var at = 0; at < input.Length; at += BlockSize)
        {
            var length = Math.Min(BlockSize, input.Length - at);
            var history = Math.Min(at, Deflater.WindowSize);
            input.AsSpan(at - history, history + length).CopyTo(block.AsSpan(Deflater.WindowSize - history));
            size += deflater.Compress(block.AsSpan(0, Deflater.WindowSize + length), history, output);
        }

        return size;
    }

    private static long Zlib(byte[] input, int level)
    {
        using var compressed = new MemoryStream(input.Length);
        using (var zlib = new DeflateStream(compressed, new ZLibCompressionOptions { CompressionLevel = level }, leaveOpen: true))
            zlib.Write(input);
        return compressed.Length;
    }

    private static long LibDeflate(byte[] input, int level)
    {
        var compressor = AllocateCompressor(level);
        try
        {
            var compressed = new byte[input.Length + (input.Length / 100) + 1000];
            return (long)Compress(compressor, input, (nuint)input.Length, compressed, (nuint)compressed.Length);
        }
        finally
        {
            FreeCompressor(compressor);
        }
    }

    private static Func<string, CancellationToken, Task<(long, double)>> Igzip(int level) =>
        async (file, cancellationToken) =>
        {
            var compressed = $"{file}.isal";
            var command = new CommandLine("igzip", $"-{level.ToString(CultureInfo.InvariantCulture)}", "-n", "-f", "-o", compressed, file);
            var run = await MeteredCommand.RunAsync(command, cancellationToken);
            return (new FileInfo(compressed).Length, run.ProcessorSeconds);
        };

    private static async Task<string> ShopAsync(Laboratory laboratory, CancellationToken cancellationToken)
    {
        var folder = await Sources.FilesOfShopAsync(laboratory, cancellationToken);
        return Join(laboratory["shop"], Directory.GetFiles(folder, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal));
    }

    private static string Text(Laboratory laboratory) =>
        Join(
            laboratory["text"],
            new[] { "src", "tests", "docs" }
                .SelectMany(folder => SourceTree.Files(folder))
                .Where(file => Path.GetExtension(file) is ".cs" or ".md")
        );

    private static string Random(Laboratory laboratory)
    {
        var bytes = new byte[RandomSize];
        new Random(1).NextBytes(bytes);
        File.WriteAllBytes(laboratory["random"], bytes);
        return laboratory["random"];
    }

    private static string Join(string path, IEnumerable<string> files)
    {
        using var all = File.Create(path);
        foreach (var file in files)
            all.Write(File.ReadAllBytes(file));
        return path;
    }

    private static string Megabytes(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e6:0.00} MB");

    private static double ThreadSeconds() =>
        GetTime(ThreadCpuTime, out var time) == 0 ? time.Seconds + (time.Nanoseconds / 1e9) : throw new PlatformNotSupportedException();

    [StructLayout(LayoutKind.Sequential)]
    private struct Time
    {
        public long Seconds;
        public long Nanoseconds;
    }

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    private static partial int GetTime(int clock, out Time time);

    [LibraryImport("libdeflate.so.0", EntryPoint = "libdeflate_alloc_compressor")]
    private static partial nint AllocateCompressor(int level);

    [LibraryImport("libdeflate.so.0", EntryPoint = "libdeflate_free_compressor")]
    private static partial void FreeCompressor(nint compressor);

    [LibraryImport("libdeflate.so.0", EntryPoint = "libdeflate_deflate_compress")]
    private static partial nuint Compress(nint compressor, byte[] input, nuint inputLength, byte[] output, nuint outputLength);
}

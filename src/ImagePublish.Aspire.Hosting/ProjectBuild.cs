using System.Diagnostics;
using System.Text.RegularExpressions;
using Aspire.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;

namespace ImagePublish.AppHost;

/// <summary>
/// Publishes projects with one call of MSBuild. Apps of one file, which only the .NET CLI knows how to build, follow one by one.
/// </summary>
internal sealed partial class ProjectBuild(ImagePublishOptions options, IConfiguration configuration, ILogger<ProjectBuild> logger)
{
    /// <returns>Each image with its digest.</returns>
    public async Task<IReadOnlyList<(ProjectImage Image, string Digest)>> RunAsync(
        IReadOnlyList<ProjectImage> images,
        CancellationToken cancellationToken
    )
    {
        var folder = Directory.CreateTempSubdirectory("image-publish-");
        try
        {
            var files = new BuildFiles(folder.FullName, options, configuration);
            foreach (var (arguments, built) in files.Write(images))
                await RunAsync(arguments, built, cancellationToken);
            return [.. images.Select(image => (image, ReadDigest(image, files.ResultOf(image))))];
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private async Task RunAsync(IReadOnlyList<string> arguments, IReadOnlyList<ProjectImage> images, CancellationToken cancellationToken)
    {
        // Where Aspire starts it: the project's global.json says which SDK builds it.
        var start = new ProcessStartInfo(configuration["DOTNET_HOST_PATH"] ?? "dotnet", arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Path.GetDirectoryName(images[0].Project.ProjectPath),
        };
        LogCommand(logger, string.Join(' ', arguments));
        var errors = new List<string>();
        using var process = Process.Start(start)!;
        try
        {
            await Task.WhenAll(
                ReadAsync(process.StandardOutput, errors, cancellationToken),
                ReadAsync(process.StandardError, errors, cancellationToken),
                process.WaitForExitAsync(cancellationToken)
            );
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }

        if (process.ExitCode != 0)
            throw Errors.Failed(images, errors, process.ExitCode);
    }

    private async Task ReadAsync(StreamReader output, List<string> errors, CancellationToken cancellationToken)
    {
        while (await output.ReadLineAsync(cancellationToken) is { } line)
        {
            var error = ErrorLine().Match(line);
            if (error.Success)
            {
                lock (errors)
                    errors.Add(error.Groups["text"].Value);
            }

            var level = LevelOf(line, error.Success);
            var text = line.TrimEnd();
            if (text.Length > 0)
                LogOutput(logger, level, text);
        }
    }

    private static LogLevel LevelOf(string line, bool isError)
    {
        if (isError)
            return LogLevel.Error;
        return line.Contains(": warning ", StringComparison.Ordinal) ? LogLevel.Warning : LogLevel.Information;
    }

    private static string ReadDigest(ProjectImage image, string file)
    {
        var digest = File.Exists(file) ? File.ReadAllText(file).Trim() : "";
        if (Digest().IsMatch(digest))
            return digest;
        throw Errors.Unsupported(
            image.Resource,
            $"made no image of '{image.Project.ProjectPath}'",
            "Set IsPublishable to true in the project."
        );
    }

    // MSBuild's form: file(line,column): error CODE: text [project].
    [GeneratedRegex(@"(?:^|: )error (?<text>\w+\d+: .*?)(?: \[[^\]]+\])?$")]
    private static partial Regex ErrorLine();

    [GeneratedRegex("^sha256:[0-9a-f]{64}$")]
    private static partial Regex Digest();

    [LoggerMessage(LogLevel.Debug, "dotnet {Arguments}")]
    private static partial void LogCommand(ILogger logger, string arguments);

    [LoggerMessage("{Line}")]
    private static partial void LogOutput(ILogger logger, LogLevel level, string line);
}

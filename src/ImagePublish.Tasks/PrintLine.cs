using ImagePublish.Diagnostics;
using Microsoft.Build.Framework;

namespace ImagePublish.Tasks;

/// <summary>Prints a line for people: the terminal logger shows nothing that MSBuild's own task <c>Message</c> logs.</summary>
public sealed class PrintLine : ImageTask
{
    /// <summary>The line.</summary>
    [Required]
    public string Line { get; set; } = "";

    private protected override Task ExecuteAsync(IPublishLog log, CancellationToken cancellationToken)
    {
        log.Information(Line);
        return Task.CompletedTask;
    }
}

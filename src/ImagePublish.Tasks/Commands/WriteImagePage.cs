using ImagePublish.Diagnostics;
using ImagePublish.Tasks.Shared;

namespace ImagePublish.Tasks.Commands;

/// <summary>Writes an HTML page about a repository: its versions over time, what they share, what differs between any two.</summary>
public sealed class WriteImagePage : RepositoryPageTask
{
    private protected override Task RunAsync(IPublishLog log, CancellationToken cancellationToken)
    {
        if (InputParser.Optional(Page) is not { } page)
            throw new ImagePublishException(
                DiagnosticCodes.PropertyMissing,
                "WriteImagePage needs the file that it writes: set ImagePage, for example -p:ImagePage=page.html."
            );
        var names = new CommandNames(this);
        return WriteAsync(names, RepositoriesOf(names) is [var first, ..] ? first : null, FullPath(page), log, cancellationToken);
    }
}

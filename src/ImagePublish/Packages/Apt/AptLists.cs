using System.Globalization;
using ImagePublish.Diagnostics;
using ImagePublish.Packages.Model;

namespace ImagePublish.Packages.Apt;

/// <summary>The signed indexes of the sources, kept in a private folder and asked for again after an hour.</summary>
internal sealed class AptLists(AptTool tool, SourceGuard guard, string folder, TimeProvider time, IPublishLog log)
{
    private static readonly TimeSpan Fresh = TimeSpan.FromHours(1);

    public bool Exist => File.Exists(Marker);

    /// <summary>What apt says of a source that it could not read just now; null where it read all.</summary>
    public string? Unread { get; private set; }

    private string Marker => Path.Combine(folder, "updated");

    /// <summary>Brings the lists up to date.</summary>
    /// <exception cref="ImagePublishException"><c>IMG6003</c>, <c>IMG6009</c>: a source can not be read or trusted.</exception>
    public async Task<bool> RefreshAsync(bool force, CancellationToken cancellationToken)
    {
        if (!force && IsFresh())
            return false;
        log.Detail($"Asking the package sources what is new (apt-get update, in {folder}).");
        var answer = await tool.UpdateAsync(guard, cancellationToken);
        // apt takes a source that fails for a warning where it has an older copy; we do the same.
        if (!answer.Succeeded)
            throw AptErrors.Explain(answer);
        var complaints = answer.Errors.Split('\n').Where(line => line.StartsWith("W: Failed to fetch", StringComparison.Ordinal)).ToList();
        Unread = complaints.Count > 0 ? AptErrors.Complaint(answer, complaints[0]) : null;
        if (Unread is not null)
            log.WarnOrFail(
                DiagnosticCodes.PackageSourceFailed,
                $"A package source could not be read, and is {(Exist ? "used as it was before" : "left out")}: {Unread}"
            );
        else
            await File.WriteAllTextAsync(
                Marker,
                time.GetUtcNow().ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture),
                cancellationToken
            );
        return true;
    }

    private bool IsFresh()
    {
        if (!File.Exists(Marker) || !long.TryParse(File.ReadAllText(Marker), CultureInfo.InvariantCulture, out var seconds))
            return false;
        var age = time.GetUtcNow() - DateTimeOffset.FromUnixTimeSeconds(Math.Clamp(seconds, 0, 253402300799));
        return age >= TimeSpan.Zero && age < Fresh;
    }
}

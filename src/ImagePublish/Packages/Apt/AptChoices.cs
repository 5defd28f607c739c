using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using ImagePublish.Common;
using ImagePublish.Packages.Model;

namespace ImagePublish.Packages.Apt;

/// <summary>Recorded answers of apt: it chooses the same as long as nothing changes that it reads, and takes a second.</summary>
internal sealed class AptChoices(string folder, bool usesMachine)
{
    private const string Prefix = "chosen-";
    private static readonly TimeSpan Kept = TimeSpan.FromDays(30);

    public IReadOnlyList<OsPackage>? Find(string question)
    {
        var file = FileOf(question);
        if (!File.Exists(file))
            return null;
        try
        {
            var packages = JsonSerializer
                .Deserialize(File.ReadAllBytes(file), PackageJsonContext.Default.IReadOnlyListPackageDocument)
                ?.Select(one => one.ToPackage())
                .ToList();
            return packages?.TrueForAll(package => package?.Location is not null) == true ? [.. packages.OfType<OsPackage>()] : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>Records a choice, and deletes those that were not used for a long time.</summary>
    public void Remember(string question, IReadOnlyList<OsPackage> packages, DateTimeOffset now)
    {
        foreach (
            var old in Directory.EnumerateFiles(folder, Prefix + "*").Where(old => now.UtcDateTime - File.GetLastWriteTimeUtc(old) > Kept)
        )
            File.Delete(old);
        IReadOnlyList<PackageDocument> documents =
        [
            .. packages.Select(package => PackageDocument.Create(package) with { Location = package.Location }),
        ];
        WholeFile.Write(
            FileOf(question),
            JsonSerializer.SerializeToUtf8Bytes(documents, PackageJsonContext.Default.IReadOnlyListPackageDocument)
        );
    }

    private string FileOf(string question)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes(question));
        string[] folders = usesMachine ? [Path.Combine(folder, "state", "lists"), "/etc/apt"] : [Path.Combine(folder, "state", "lists")];
        foreach (
            var file in folders
                .Where(Directory.Exists)
                .SelectMany(one => new DirectoryInfo(one).EnumerateFiles("*", new EnumerationOptions { RecurseSubdirectories = true }))
                .OrderBy(file => file.FullName, StringComparer.Ordinal)
        )
            hash.AppendData(
                Encoding.UTF8.GetBytes(
                    string.Create(CultureInfo.InvariantCulture, $"{file.FullName}\n{file.Length}\n{file.LastWriteTimeUtc.Ticks}\n")
                )
            );
        return Path.Combine(folder, Prefix + Convert.ToHexStringLower(hash.GetHashAndReset())[..32]);
    }
}

using System.Globalization;
using System.Text;
using ImagePublish.Common;
using ImagePublish.Layers;

namespace ImagePublish.Packages.Layout;

/// <summary>What <c>update-ca-certificates</c> makes: one file of all authorities, and a link to each, by name and by OpenSSL's hash of its
/// subject.</summary>
internal static class CertificateBundle
{
    private const string Authorities = "usr/share/ca-certificates/";
    private const string Folder = "etc/ssl/certs";

    public static async Task<IReadOnlyList<LayerEntry>> MakeAsync(
        IEnumerable<LayerEntry> entries,
        ContentBudget budget,
        CancellationToken cancellationToken
    )
    {
        var authorities = entries
            .Where(entry =>
                entry.Content is not null
                && entry.Path.StartsWith(Authorities, StringComparison.Ordinal)
                && entry.Path.EndsWith(".crt", StringComparison.Ordinal)
            )
            .OrderBy(entry => entry.Path, StringComparer.Ordinal)
            .ToList();
        var made = new List<LayerEntry>();
        var bundle = new StringBuilder();
        var used = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var authority in authorities)
        {
            budget.CountText(authority.Content!.Length);
            using var reader = new StreamReader(authority.Content.Open(), Encoding.UTF8);
            var text = await reader.ReadToEndAsync(cancellationToken);
            bundle.Append(text.TrimEnd('\n')).Append('\n');
            var name =
                Path.GetFileNameWithoutExtension(authority.Path).Replace(' ', '_').Replace('(', '=').Replace(')', '=').Replace(',', '_')
                + ".pem";
            made.Add(RootFiles.Link($"{Folder}/{name}", "/" + authority.Path));
            if (SubjectHash.Compute(text) is not { } hash)
                continue;
            var number = used[hash] = used.TryGetValue(hash, out var last) ? last + 1 : 0;
            made.Add(RootFiles.Link($"{Folder}/{hash}.{number.ToString(CultureInfo.InvariantCulture)}", name));
        }

        if (made.Count > 0)
            made.Add(RootFiles.File($"{Folder}/ca-certificates.crt", bundle.ToString()));
        return made;
    }
}

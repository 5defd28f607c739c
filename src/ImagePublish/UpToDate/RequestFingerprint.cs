using System.Globalization;
using System.Runtime.CompilerServices;
using ImagePublish.Bases;
using ImagePublish.Images;
using ImagePublish.Layers;
using ImagePublish.Oci;
using ImagePublish.Requests;

namespace ImagePublish.UpToDate;

/// <summary>One digest of all values of a request. The content of what it points at, files and base image, is not in it.</summary>
internal static class RequestFingerprint
{
    private static readonly ConditionalWeakTable<PublishRequest, Digest> Computed = [];

    public static Digest Compute(PublishRequest request) => Computed.GetValue(request, ComputeNew);

    private static Digest ComputeNew(PublishRequest request)
    {
        using var digest = new DigestBuilder();
        digest.AddThisBuild();
        Add(digest, request.Spec);
        Add(digest, request.Project);
        Add(digest, request.Base);
        Add(digest, (request.Base as ScratchImage)?.EnvironmentVariables ?? []);
        digest.Add(request.BaseTrust?.Id.Value);
        digest.Add([.. (request.Packages?.Locked ?? []).Select(package => $"{package.Name} {package.Digest}")]);
        AddFiles(digest, request);
        digest.Add(request.Sbom is null ? 0 : 1);
        request.Sbom?.AddTo(digest);
        digest.Add(request.Policy is null ? 0 : 1);
        request.Policy?.AddTo(digest);
        digest.Add(request.Compression.Key);
        digest.Add([.. request.Destinations.Select(destination => destination.ToString())]);
        digest.Add(request.LocalName);
        digest.Add([.. request.Tags.Select(tag => tag.Value)]);
        digest.Add([.. request.ContentTags.Select(tag => tag.ToString())]);
        digest.Add([.. request.HeldTags.Select(tag => tag.Value)]);
        digest.Add(request.HoldsContentTags ? 1 : 0);
        digest.Add(request.CacheFrom?.Count ?? -1);
        digest.Add([.. (request.CacheFrom ?? []).Select(reference => reference.ToString())]);
        digest.Add(request.CacheTrust.Key?.Id);
        digest.Add([.. request.CacheTrust.Repositories.Select(repository => repository.ToString())]);
        digest.Add(request.CacheTrust.VerifyReused ? 1 : 0);
        Add(digest, request.Attestations);
        digest.Add(request.Signing?.Id.Value);
        return digest.ToDigest();
    }

    // Not the run: the same image needs no second attestation because it is built once more.
    private static void Add(DigestBuilder digest, AttestationRequest? attestations)
    {
        digest.Add((long?)attestations?.Placement ?? -1);
        digest.Add(attestations?.IsPartOfIndex == true ? 1 : 0);
        digest.Add(attestations?.Signing?.Id.Value);
        var facts = attestations?.Provenance;
        digest.Add(facts is null ? 0 : 1);
        if (facts is null)
            return;
        foreach (
            var text in (string?[])
                [
                    facts.Tool.Version,
                    facts.Tool.Sdk,
                    facts.Tool.MSBuild,
                    facts.BuilderId,
                    facts.Project,
                    facts.Source?.Url,
                    facts.Source?.Ref,
                    facts.Source?.Commit,
                    facts.AssetsFile,
                ]
        )
            digest.Add(text);
        digest.Add(facts.AssetsTargets);
        Add(digest, facts.Parameters);
    }

    private static void AddFiles(DigestBuilder digest, PublishRequest request)
    {
        digest.Add(request.PublishFolder);
        digest.Add((long)request.Layering);
        digest.Add((request.Selection.KeepsOtherPlatforms ? 1 : 0) | (request.Selection.OmitsDevelopmentSettings ? 2 : 0));
        digest.Add((long)request.Selection.Symbols);
        digest.Add(request.FileOwner?.ToString());
        digest.Add(request.EntryDefaults.TargetFolder);
        digest.Add(request.EntryDefaults.Uid);
        digest.Add(request.EntryDefaults.Gid);
        digest.Add(request.EntryDefaults.Modified.ToUnixTimeSeconds());
        digest.Add((long)request.EntryDefaults.Executables);
        digest.Add(request.Items.Count);
        foreach (var item in request.Items)
        {
            digest.Add(item.RelativePath);
            digest.Add((long)item.Origin);
            digest.Add(item.Package);
        }

        digest.Add(request.Added.Count);
        foreach (var added in request.Added)
            Add(digest, added);
        digest.Add(request.OtherImages.Files.Count);
        foreach (var files in request.OtherImages.Files)
            Add(digest, files);
        digest.Add(request.OtherImages.Layers.Count);
        foreach (var layers in request.OtherImages.Layers)
        {
            Add(digest, layers.From);
            digest.Add(layers.Trust?.Id.Value);
        }
    }

    private static void Add(DigestBuilder digest, ImageSource source)
    {
        digest.Add($"{source.GetType().Name} {source}");
        digest.Add((source as RegistryImage)?.Locked?.ToString());
        digest.Add((source as RegistryImage)?.Mirror?.ToString());
    }

    private static void Add(DigestBuilder digest, FilesOfImage files)
    {
        Add(digest, files.From);
        digest.Add(files.Path);
        digest.Add(files.Target);
        digest.Add(files.IsIntoTarget ? 1 : 0);
        digest.Add((long?)files.Mode ?? -1);
        digest.Add(files.Owner?.ToString());
        digest.Add(files.Layer);
        digest.Add(files.IsOnTop ? 1 : 0);
        digest.Add(files.Trust?.Id.Value);
    }

    // Its item's name is only for messages.
    private static void Add(DigestBuilder digest, AddedEntry added)
    {
        digest.Add((long)added.Kind);
        digest.Add(added.Path);
        digest.Add((long?)added.Mode ?? -1);
        digest.Add(added.Owner?.ToString());
        digest.Add(added.Layer);
        digest.Add(added.IsOnTop ? 1 : 0);
        digest.Add(added.SourceFile);
        digest.Add(added.BuiltIn);
        digest.Add(added.IsFromPackage ? 1 : 0);
        digest.Add(added.LinkTarget);
    }

    private static void Add(DigestBuilder digest, ImageSpec spec)
    {
        digest.Add(spec.Platform.ToString());
        digest.Add(spec.Platform.OsFeatures);
        digest.Add(spec.Created.UtcTicks);
        digest.Add((long?)spec.Format ?? -1);
        digest.Add(spec.WorkingDirectory);
        digest.Add(spec.User);
        digest.Add(spec.StopSignal);
        Add(digest, spec.Healthcheck);
        digest.Add(spec.Probe?.Program);
        digest.Add(spec.Probe?.Path);
        digest.Add(spec.Probe?.Port ?? -1);
        digest.Add(spec.Probe?.Seconds ?? -1);
        digest.Add(spec.Entrypoint);
        digest.Add(spec.Command);
        digest.Add((spec.CommandStartsApp ? 1 : 0) | (spec.ListensWhereBaseSays ? 2 : 0));
        Add(digest, spec.EnvironmentVariables);
        Add(digest, spec.Labels);
        Add(digest, spec.Annotations);
        digest.Add([.. spec.Ports.Select(port => port.ToString())]);
        digest.Add(spec.Volumes);
    }

    private static void Add(DigestBuilder digest, Healthcheck? check)
    {
        digest.Add(check?.Test);
        foreach (var number in (long?[])[check?.Interval, check?.Timeout, check?.StartPeriod, check?.StartInterval, check?.Retries])
            digest.Add(number?.ToString(CultureInfo.InvariantCulture));
    }

    private static void Add(DigestBuilder digest, ProjectInfo? project)
    {
        digest.Add(project is null ? 0 : 1);
        if (project is null)
            return;
        foreach (
            var text in (string?[])
                [
                    project.Title,
                    project.Description,
                    project.Authors,
                    project.Vendor,
                    project.Licenses,
                    project.Version,
                    project.Url,
                    project.Documentation,
                    project.Source,
                    project.Revision,
                    project.FrameworkVersion,
                ]
        )
            digest.Add(text);
        digest.Add(project.Omitted);
    }

    private static void Add(DigestBuilder digest, IReadOnlyList<KeyValuePair<string, string>> pairs)
    {
        digest.Add(pairs.Count);
        foreach (var (name, value) in pairs)
        {
            digest.Add(name);
            digest.Add(value);
        }
    }
}

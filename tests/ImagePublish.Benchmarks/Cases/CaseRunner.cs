using ImagePublish.Benchmarks.Measuring;

namespace ImagePublish.Benchmarks.Cases;

/// <summary>What came of a case.</summary>
internal sealed record CaseResult(PublishCase Case, Runs Plain, Runs Ours, Runs Sdk)
{
    public double OurOverhead => Ours.Seconds - Plain.Seconds;

    public double SdkOverhead => Sdk.Seconds - Plain.Seconds;

    public double Share => OurOverhead / SdkOverhead;
}

/// <summary>Runs a case: the contenders run alternately, so that whatever else the machine does meets all of them.</summary>
internal sealed class CaseRunner(Laboratory laboratory, int rounds)
{
    private int edition;
    private int repositories;

    public Task<CaseResult> RunAsync(PublishCase @case, CancellationToken cancellationToken) =>
        RunAsync(@case, laboratory.Contenders(@case.IsSolution), cancellationToken);

    /// <summary>Runs a case with other sources.</summary>
    public async Task<CaseResult> RunAsync(PublishCase @case, IReadOnlyList<Contender> contenders, CancellationToken cancellationToken)
    {
        var runs = contenders.ToDictionary(contender => contender, _ => new Runs());
        if (@case.UpdatesPackage)
        {
            foreach (var contender in contenders)
                await Sources.PrepareUpdatesAsync(contender, cancellationToken);
        }

        foreach (var contender in contenders)
        {
            contender.CacheSecret = @case.UsesCacheKey ? $"{Guid.NewGuid():n}" : null;
            contender.IsCi = @case.Commits;
            if (@case.Commits)
                await Sources.CommitAsync(contender, cancellationToken);
        }

        // Builds everything, fills the caches and the repository, and warms the disk. The second time even what the SDK does once more
        // after a first build is done.
        for (var round = 0; round < 2; round++)
        {
            foreach (var contender in contenders)
                await contender.Publish(Project(@case), TargetOf(@case, contender, "steady")).SucceedAsync(cancellationToken);
        }

        for (var round = 0; round < rounds; round++)
        {
            edition++;
            repositories++;
            for (var turn = 0; turn < contenders.Count; turn++)
            {
                var contender = contenders[(round + turn) % contenders.Count];
                runs[contender].Add(await RunOnceAsync(@case, contender, round, cancellationToken));
            }
        }

        return new CaseResult(@case, runs[contenders[0]], runs[contenders[1]], runs[contenders[2]]);
    }

    private async Task<Run> RunOnceAsync(PublishCase @case, Contender contender, int round, CancellationToken cancellationToken)
    {
        if (@case.EditsCode)
        {
            Sources.EditCode(contender, edition);
            // The compiler's time is no publisher's, and it varies more than what is measured.
            await contender
                .DotNet("build", Path.Combine(contender.Sources, Project(@case)), "-c", "Release")
                .SucceedAsync(cancellationToken);
        }

        if (@case.UpdatesPackage)
            await Sources.UpdatePackageAsync(contender, round, cancellationToken);
        if (@case.Commits)
            await Sources.CommitAsync(contender, cancellationToken);
        if (@case.ForgetsCaches)
            contender.ClearCaches();
        var registry = RegistryOf(@case);
        await registry.ResetAsync(cancellationToken);
        var target = TargetOf(@case, contender, @case.UsesNewRepository ? $"new{repositories}" : "steady");
        var start = DateTimeOffset.UtcNow;
        var run = await MeteredCommand.RunAsync(contender.Publish(Project(@case), target), cancellationToken);
        run = await registry.CountAsync(run, cancellationToken);
        run = laboratory.CountRoundTrips(run, start);
        Laboratory.Tell(
            $"{@case.Key, -10} {contender.Name, -5} {run.Seconds, 7:0.00} s {run.ProcessorSeconds, 7:0.00} s of work {run.SentBytes, 12:N0} bytes {run.Requests, 4} requests {run.PeakMemory / 1e6, 5:0} MB"
        );
        if (laboratory.IsVerbose && run.Requests < 50)
            Laboratory.Tell(string.Join('\n', registry.Requests.Select(request => $"    {request}")));
        return run;
    }

    private static string Project(PublishCase @case) => @case.IsSolution ? Sources.Solution : Sources.ShopProject;

    private MeteredRegistry RegistryOf(PublishCase @case) => @case.UsesOtherRegistry ? laboratory.OtherRegistry : laboratory.Registry;

    private Target TargetOf(PublishCase @case, Contender contender, string repository) =>
        new(RegistryOf(@case).Host, $"{contender.Name}/{repository}", $"{laboratory.Registry.Host}/dotnet/aspnet:10.0");
}

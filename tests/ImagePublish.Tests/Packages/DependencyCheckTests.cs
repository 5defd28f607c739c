using System.Buffers.Binary;
using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.InteropServices;
using ImagePublish.Bases;
using ImagePublish.Diagnostics;
using ImagePublish.LayerReuse;
using ImagePublish.Layers;
using ImagePublish.Oci;
using ImagePublish.Packages.Dependencies;
using ImagePublish.Publishing;
using ImagePublish.Requests;
using ImagePublish.Testing;
using ImagePublish.Tests.Registries;

namespace ImagePublish.Tests.Packages;

/// <summary>What an app needs and its image lacks is told when it is published, not when it crashes.</summary>
public sealed class DependencyCheckTests : IDisposable
{
    // A program of this machine, for its processor and with the C library that everything here has.
    private const string Program = "/usr/bin/env";

    private readonly LocalRepository repository = new LocalRepository()
        .AddRoot()
        .Add(new DebBuilder("libc6").File("./lib/x86_64-linux-gnu/libc.so.6", "libc"));

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static Platform Here => new("linux", RuntimeInformation.OSArchitecture == Architecture.Arm64 ? "arm64" : "amd64");

    public void Dispose() => repository.Dispose();

    [Fact]
    public async Task AMissingLibraryIsToldWithThePackageThatHasItUntilItIsThere()
    {
        await using var bench = await PublishingBench.StartAsync();
        File.Copy(Program, Path.Combine(bench.PublishFolder, "App"));
        var request = Request(bench, []);

        await bench.PublishAsync(request);
        var first = bench.Log.Warnings.ToList();
        bench.Log.Warnings.Clear();
        var again = await bench.PublishAsync(request);
        var second = bench.Log.Warnings.ToList();
        bench.Log.Warnings.Clear();
        await bench.PublishAsync(Request(bench, ["libc6"]));

        var warning = Assert.Single(first);
        Assert.StartsWith("'App' needs libc.so.6", warning, StringComparison.Ordinal);
        Assert.Contains("<ImagePackage Include=\"libc6\" />", warning, StringComparison.Ordinal);
        Assert.True(again.IsUnchanged);
        Assert.Equal(first, second);
        Assert.Empty(bench.Log.Warnings);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    [ReliabilityCase("Tags", "a library is missing, and warnings are errors", "the publish fails before a tag moves, with one error")]
    public async Task AMissingLibraryKeepsTheTagWhereTheWarningIsAnError(bool toStore)
    {
        await using var bench = await PublishingBench.StartAsync();
        File.Copy(Program, Path.Combine(bench.PublishFolder, "App"));
        bench.Log.Errors.Add(DiagnosticCodes.LibraryMissing);
        var request = Request(bench, []);
        request = toStore ? request with { Destinations = [] } : request;

        // The second finds what the first remembers.
        for (var time = 0; time < 2; time++)
        {
            var failure = await RegistryBench.FailsAsync(DiagnosticCodes.LibraryMissing, () => bench.PublishAsync(request));
            Assert.StartsWith("'App' needs libc.so.6", failure.Message, StringComparison.Ordinal);
        }

        Assert.Empty(bench.Log.Warnings);
        Assert.Empty(bench.Server.Content.Tags("acme/shop"));
        Assert.Empty(await bench.Store().ListAsync(Cancel));
    }

    [Fact]
    public async Task AFileThatLacksMuchIsOneWarningWithAllPackages()
    {
        await using var bench = await PublishingBench.StartAsync();
        File.Copy("/usr/bin/apt-get", Path.Combine(bench.PublishFolder, "App"));

        await bench.PublishAsync(Request(bench, []));

        var warning = Assert.Single(bench.Log.Warnings);
        Assert.Contains("libstdc++6", warning, StringComparison.Ordinal);
        Assert.Matches("<ImagePackage Include=\"[^\"]*libc6;[^\"]*\" />", warning);
    }

    [Fact]
    public async Task ABaseThatNobodyReadIsLeftAloneUnlessItIsAskedFor()
    {
        await using var bench = await PublishingBench.StartAsync();
        File.Copy(Program, Path.Combine(bench.PublishFolder, "App"));
        var request = bench.Request("1.0") with { DependencyCheck = new DependencyCheckRequest { IsGlobalizationInvariant = true } };

        await bench.PublishAsync(request);
        var pulled = bench.Moved(RegistryStep.BlobGet);
        var silent = bench.Log.Warnings.ToList();
        await bench.PublishAsync(
            request with
            {
                DependencyCheck = request.DependencyCheck! with { MayDownload = true },
                Tags = [Tag.Parse("2.0")],
            }
        );

        Assert.Empty(silent);
        Assert.Equal(1, pulled);
        Assert.Contains("libc.so.6", Assert.Single(bench.Log.Warnings), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("invariant", "")]
    [InlineData("cultures", "ICU")]
    [InlineData("zones", "tzdata")]
    [InlineData("https", "ca-certificates libssl3")]
    [InlineData("aspnet", "libssl3")]
    [InlineData("drawing", "libgdiplus fonts-dejavu-core")]
    public void WhatDotNetNeedsOfTheSystemIsTold(string app, string told)
    {
        var request = new DependencyCheckRequest { IsGlobalizationInvariant = app != "cultures", UsesAspNet = app == "aspnet" };
        var needs = Read(app is "zones" or "https" or "drawing" ? Compiled(app) : []);

        var findings = new DependencyCheck(request, needs, new ImageInventory(BaseFileSystem.Empty)).Findings(isInvariant: false);

        Assert.Equal(told.Split(' ', StringSplitOptions.RemoveEmptyEntries).Length, findings.Count);
        Assert.All(told.Split(' ', StringSplitOptions.RemoveEmptyEntries), word =>
            Assert.Contains(findings, finding => finding.Contains(word, StringComparison.Ordinal))
        );
        Assert.All(findings, finding => Assert.DoesNotContain('\n', finding));
    }

    [Fact]
    public void WhatTheImageHasIsNotTold()
    {
        var request = new DependencyCheckRequest { UsesAspNet = true };
        string[] paths =
        [
            "usr/lib/libicuuc.so.72",
            "usr/lib/libssl.so.3",
            "etc/ssl/certs/ca-certificates.crt",
            "usr/share/zoneinfo/UTC",
            "usr/lib/libgdiplus.so.0",
            "app/fonts/own.ttf",
        ];
        var entries = paths.Select(path => new LayerEntry(path, LayerEntryKind.File) { Content = new FileInMemory("x"u8.ToArray()) });

        Assert.Empty(
            new DependencyCheck(
                request,
                Read([.. Compiled("zones"), .. Compiled("https"), .. Compiled("drawing")]),
                InventoryOf(entries)
            ).Findings(isInvariant: false)
        );
    }

    [Fact]
    public void WhatLayersNeedIsTheSameTogetherAndAfterItWasWritten()
    {
        List<LayerEntry> entries = [.. Compiled("zones"), .. Compiled("https"), .. Compiled("drawing"), Copy("libx.so")];
        var whole = Read(entries);

        var together = new AppDependencies();
        foreach (var entry in entries)
            together.Add(AppDependencies.Read(Read([entry]).Write()));

        Assert.Equal(whole.Libraries, together.Libraries);
        Assert.Equal(whole.Assemblies.Order(StringComparer.Ordinal), together.Assemblies.Order(StringComparer.Ordinal));
        Assert.Equal((whole.TimeZones, whole.Fonts, whole.IsInvariant), (together.TimeZones, together.Fonts, together.IsInvariant));
        Assert.NotNull(whole.TimeZones);
        Assert.NotNull(whole.Fonts);
    }

    [Fact]
    public void WhatAnImageHasIsTheSameAfterItWasWritten()
    {
        var inventory = InventoryOf([Copy("libx.so"), Copy("fonts/own.ttf")]);

        var read = ImageInventory.Read(inventory.Write());

        Assert.Empty(inventory.LostIn(read));
        Assert.Empty(read.LostIn(inventory));
        Assert.Equal((inventory.HasFonts, inventory.HasDpkg, inventory.OsRelease), (read.HasFonts, read.HasDpkg, read.OsRelease));
        Assert.True(read.Has("libx.so"));
    }

    [Fact]
    public async Task OnlyALayerThatChangedIsReadForWhatItNeeds()
    {
        await using var bench = await PublishingBench.StartAsync();
        var facts = new DependencyFacts(bench.Store(), bench.Log);
        var file = Path.Combine(bench.PublishFolder, "libneeds.so");
        File.Copy(Program, file);
        var entry = new LayerEntry("app/libneeds.so", LayerEntryKind.File) { Content = new FileOnDisk(file, new FileInfo(file).Length) };
        var candidate = new LayerCandidate(LayerInput.Create("app", [entry]), Digest.Compute("one"u8), DiffId: null, Known: null);
        var request = Request(bench, []);
        var read = await facts.ReadNeedsAsync(request, [candidate], Cancel);
        File.Delete(file);

        var known = await facts.ReadNeedsAsync(request, [candidate], Cancel);
        var changed = await Assert.ThrowsAsync<ImagePublishException>(() =>
            facts.ReadNeedsAsync(request, [candidate with { Key = Digest.Compute("other"u8) }], Cancel)
        );

        Assert.Contains("libc.so.6", read.Libraries);
        Assert.Equal(read.Libraries, known.Libraries);
        Assert.Equal(DiagnosticCodes.UnreadableFile, changed.Code);
    }

    [Fact]
    public void NativePartsForOtherSystemsNeedNothing()
    {
        var parts = new[]
        {
            "runtimes/osx/native/lib.dylib",
            "runtimes/linux-musl-x64/native/libx.so",
            "runtimes/win-x64/native/x.dll",
        }.Select(path => Copy(path));

        Assert.Empty(Read(parts).Libraries);
        Assert.NotEmpty(Read([Copy("runtimes/linux/native/libx.so")]).Libraries);
    }

    [Theory]
    [InlineData("libfontconfig.so.1", "libfontconfig1")]
    [InlineData("libpango-1.0.so.0", "libpango-1.0-0")]
    [InlineData("libicuuc.so.72", "libicu72")]
    [InlineData("libXrender.so.1", "libxrender1")]
    [InlineData("libstdc++.so.6", "libstdc++6")]
    [InlineData("ld-linux-x86-64.so.2", "libc6")]
    [InlineData("libgssapi_krb5.so.2", "libgssapi-krb5-2")]
    [InlineData("strange", null)]
    public void ALibrarysPackageIsKnown(string library, string? package) => Assert.Equal(package, LibraryPackages.Find(library));

    [Fact]
    public void ADamagedProgramNeedsNothingAndHarmsNobody()
    {
        var whole = File.ReadAllBytes(Program);
        var random = new Random(7);
        for (var attempt = 0; attempt < 500; attempt++)
        {
            var damaged = whole.AsSpan(0, random.Next(whole.Length)).ToArray();
            for (var change = 0; change < 8 && damaged.Length > 0; change++)
                damaged[random.Next(Math.Min(damaged.Length, 1024))] = (byte)random.Next(256);
            using var stream = new MemoryStream(damaged);
            Assert.True(ElfFile.TryRead(stream)?.Needed.Count is null or >= 0);
            stream.Position = 0;
            Assert.Null(ManagedFile.TryRead(stream));
        }

        using var file = new MemoryStream(whole);
        Assert.Contains("libc.so.6", ElfFile.TryRead(file)!.Needed);
    }

    [Theory]
    [InlineData("libnative.so", true)]
    [InlineData("sub/libnative.so.1", true)]
    [InlineData("runtimes/linux-other/native/libnative.so", false)]
    [InlineData("node/linux-arm64/node", false)]
    [ReliabilityCase(
        "Platforms",
        "a native file for another processor in the publish folder, outside of `runtimes`",
        "warning IMG1022, even if the base is not known or nothing changed"
    )]
    public async Task AFileForAnotherProcessorIsToldAgainUntilItIsGone(string path, bool isTold)
    {
        await using var bench = await PublishingBench.StartAsync();
        var file = Path.Combine(bench.PublishFolder, path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        var bytes = await File.ReadAllBytesAsync(Program, Cancel);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(18), 183);
        await File.WriteAllBytesAsync(file, bytes, Cancel);
        // A base of a registry that nobody read.
        var request = bench.Request("1.0") with
        {
            Spec = bench.Request("1.0").Spec with { Platform = new("linux", "amd64") },
            DependencyCheck = new DependencyCheckRequest { IsGlobalizationInvariant = true },
        };

        await bench.PublishAsync(request);
        var first = bench.Log.Warnings.ToList();
        bench.Log.Warnings.Clear();
        Assert.True((await bench.PublishAsync(request)).IsUnchanged);
        Assert.Equal(first, bench.Log.Warnings);
        bench.Log.Warnings.Clear();
        await bench.PublishAsync(
            request with
            {
                DependencyCheck = request.DependencyCheck! with { MayDownload = true },
                Tags = [Tag.Parse("2.0")],
            }
        );
        var withBase = bench.Log.Warnings.Where(warning => warning.Contains("arm64", StringComparison.Ordinal)).ToList();
        File.Delete(file);
        bench.Log.Warnings.Clear();
        await bench.PublishAsync(request);

        Assert.Equal(
            isTold ? [$"'{path}' is built for arm64, which linux/amd64 can't run."] : [],
            first.Select(warning => warning[..(warning.IndexOf('.', warning.IndexOf("run", StringComparison.Ordinal)) + 1)])
        );
        Assert.Equal(first, withBase);
        Assert.Empty(bench.Log.Warnings);
    }

    [Theory]
    [InlineData("/app/App", true)]
    [InlineData("/app/App.dll", false)]
    public async Task AnAppHostForAnotherProcessorMattersWhereItIsStarted(string command, bool isTold)
    {
        var host = Path.Combine(repository.Folder, "App");
        var bytes = await File.ReadAllBytesAsync(Program, Cancel);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(18), 183);
        await File.WriteAllBytesAsync(host, bytes, Cancel);
        LayerEntry[] entries =
        [
            new("app/App", LayerEntryKind.File) { PublishPath = "App", Content = new FileOnDisk(host, bytes.Length) },
            Copy("App.dll"),
        ];

        Assert.Equal(isTold, OtherArchitectures.Find(entries, new Platform("linux", "amd64"), ["dotnet", command], Cancel) is not null);
    }

    private static AppDependencies Read(IEnumerable<LayerEntry> entries) =>
        new AppDependencyReader(Here, isMusl: false).Read(entries, new HashSet<string>(), Cancel);

    private static ImageInventory InventoryOf(IEnumerable<LayerEntry> entries)
    {
        var inventory = new ImageInventory(BaseFileSystem.Empty);
        inventory.Add(entries);
        return inventory;
    }

    private static LayerEntry Copy(string path) =>
        new("app/" + path, LayerEntryKind.File) { PublishPath = path, Content = new FileOnDisk(Program, new FileInfo(Program).Length) };

    // An assembly with one method that does what it is called.
    private IEnumerable<LayerEntry> Compiled(string app)
    {
        var assembly = new PersistedAssemblyBuilder(new AssemblyName("App"), typeof(object).Assembly);
        var type = assembly.DefineDynamicModule("App").DefineType("App", TypeAttributes.Public);
        var code = type.DefineMethod("Main", MethodAttributes.Public | MethodAttributes.Static).GetILGenerator();
        if (app == "zones")
        {
            code.Emit(OpCodes.Ldstr, "Europe/Berlin");
            code.Emit(OpCodes.Call, typeof(TimeZoneInfo).GetMethod(nameof(TimeZoneInfo.FindSystemTimeZoneById), [typeof(string)])!);
            code.Emit(OpCodes.Pop);
        }
        else if (app == "https")
        {
            code.Emit(OpCodes.Newobj, typeof(HttpClient).GetConstructor([])!);
            code.Emit(OpCodes.Pop);
        }
        else
        {
            type.DefinePInvokeMethod(
                "GdipCreate",
                "libgdiplus",
                MethodAttributes.Public | MethodAttributes.Static,
                CallingConventions.Standard,
                null,
                [],
                CallingConvention.Winapi,
                CharSet.Ansi
            );
        }

        code.Emit(OpCodes.Ret);
        type.CreateType();
        var file = Path.Combine(repository.Folder, app + ".dll");
        assembly.Save(file);
        return [new LayerEntry("app/App.dll", LayerEntryKind.File) { Content = new FileOnDisk(file, new FileInfo(file).Length) }];
    }

    private PublishRequest Request(PublishingBench bench, string[] packages) =>
        bench.Request("1.0") with
        {
            Spec = bench.Request("1.0").Spec with { Platform = Here },
            Base = new ScratchImage(),
            Packages = packages.Length == 0 ? null : repository.Request(packages),
            DependencyCheck = new DependencyCheckRequest { IsGlobalizationInvariant = true },
        };
}

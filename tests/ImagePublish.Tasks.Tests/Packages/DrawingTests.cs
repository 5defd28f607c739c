using ImagePublish.Tasks.Tests.Documentation;
using ImagePublish.Tasks.Tests.EndToEnd;
using ImagePublish.Tasks.Tests.Support;

namespace ImagePublish.Tasks.Tests.Packages;

/// <summary>
/// An app that draws text, on a base as Microsoft's that lacks what it takes: the doctor says what, and with it the app works in Docker.
/// </summary>
public sealed class DrawingTests(Peers peers)
{
    private const string Repository = "packages/drawing";

    private const string Program = """
        using SkiaSharp;
        using var bitmap = new SKBitmap(200, 60);
        using var canvas = new SKCanvas(bitmap);
        canvas.Clear(SKColors.White);
        using var font = new SKFont(SKTypeface.FromFamilyName("DejaVu Sans"), 32);
        using var paint = new SKPaint { Color = SKColors.Black };
        canvas.DrawText("Hello", 10, 40, font, paint);
        using var png = bitmap.Encode(SKEncodedImageFormat.Png, 90);
        var dark = Enumerable.Range(0, 200 * 60).Count(at => bitmap.GetPixel(at % 200, at / 200).Red < 128);
        Console.WriteLine($"{SKTypeface.FromFamilyName("DejaVu Sans").FamilyName}, {png.AsSpan()[1] == 'P'}, {dark > 200}");
        """;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task AnAppThatDrawsTextGetsExactlyThePackagesThatItsBaseLacks()
    {
        var registry = await peers.RegistryAsync();
        var docker = await peers.DockerAsync();
        using var workspace = await peers.WorkspaceAsync();
        var project = workspace
            .Empty("Drawing")
            .WithImagePublish()
            .Property("OutputType", "Exe")
            .Property("ImplicitUsings", "enable")
            .PackageReference("SkiaSharp", "3.119.4")
            .PackageReference("SkiaSharp.NativeAssets.Linux", "3.119.4")
            .Content("Program.cs", Program);
        string[] switches = Switches.For(registry, Repository);

        var without = (await project.PublishAsync(Cancelled, [.. switches, "-p:ImageDoctor=Full"])).EnsureSuccess();
        project.Item("ImagePackage", "libfontconfig1;fonts-dejavu-core");
        var with = (await project.PublishAsync(Cancelled, [.. switches, "--no-restore"])).EnsureSuccess();
        var ran = await docker.RunAsync(Cancelled, with.Properties["ImageReference"]);
        var added = await PackagesAsync(registry, with.Digest);
        var had = await docker.RunAsync(
            Cancelled,
            "--entrypoint=/bin/sed",
            with.Properties["ImageReference"],
            "-n",
            "s/^Package: //p",
            "/var/lib/dpkg/status"
        );

        Assert.Equal(
            ["libfontconfig1", "fonts-dejavu-core"],
            without.Warnings.Where(warning => warning.Code == "IMG6011").Select(warning => warning.Text.Split('"')[1])
        );
        Assert.Contains(Page.Read("docs/packages.md").Passages, passage =>
            passage.Text.Trim() == $"{without.Warnings.First(warning => warning.Code == "IMG6011")}"
        );
        Assert.Empty(with.Messages);
        Assert.Equal("DejaVu Sans, True, True\n", ran.Output);
        Assert.Contains("libfontconfig1", added);
        Assert.Contains("fonts-dejavu-core", added);
        Assert.Contains("libfreetype6", added);
        Assert.Empty(added.Intersect(had.Output.Split('\n')));
    }

    // The runtime base has three layers; the next is that of the packages.
    private static async Task<List<string>> PackagesAsync(DockerRegistry registry, string digest)
    {
        const string Folder = "var/lib/dpkg/status.d/";
        var manifest = await registry.ManifestAsync(Repository, digest, Cancelled);
        var entries = await registry.EntriesAsync(Repository, manifest.Layers[3], Cancelled);
        return
        [
            .. entries
                .Select(entry => entry.Split(' ')[2])
                .Where(path => path.StartsWith(Folder, StringComparison.Ordinal) && path.Length > Folder.Length)
                .Select(path => path[Folder.Length..]),
        ];
    }
}

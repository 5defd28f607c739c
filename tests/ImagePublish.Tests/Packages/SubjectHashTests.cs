using System.Diagnostics;
using ImagePublish.Packages.Layout;

namespace ImagePublish.Tests.Packages;

public sealed class SubjectHashTests
{
    [Fact]
    public async Task TheHashOfAnAuthorityIsOpenSslsOwn()
    {
        var authorities = Directory.GetFiles("/usr/share/ca-certificates/mozilla", "*.crt").Where((_, number) => number % 8 == 0).ToArray();
        Assert.NotEmpty(authorities);
        using var openssl = Process.Start(
            new ProcessStartInfo("sh", ["-c", "for file; do openssl x509 -noout -hash -in \"$file\"; done", "sh", .. authorities])
            {
                RedirectStandardOutput = true,
            }
        )!;
        var expected = (await openssl.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken)).Split(
            '\n',
            StringSplitOptions.RemoveEmptyEntries
        );

        Assert.Equal(expected, authorities.Select(file => SubjectHash.Compute(File.ReadAllText(file))));
    }
}

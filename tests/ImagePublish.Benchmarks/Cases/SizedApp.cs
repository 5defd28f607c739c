using System.Globalization;

namespace ImagePublish.Benchmarks.Cases;

/// <summary>An app of one line of code and as much content as is asked for.</summary>
internal static class SizedApp
{
    /// <summary>Writes it.</summary>
    /// <param name="contender">Whose it is.</param>
    /// <param name="bytes">The size of all files.</param>
    /// <param name="files">Their number.</param>
    public static void Write(Contender contender, long bytes, int files)
    {
        var folder = Directory.CreateDirectory(Path.Combine(contender.Sources, "Shop")).FullName;
        File.WriteAllText(
            Path.Combine(contender.Sources, Sources.ShopProject),
            """
            <Project Sdk="Microsoft.NET.Sdk.Web">
              <PropertyGroup>
                <TargetFramework>net10.0</TargetFramework>
                <EnableDefaultContentItems>false</EnableDefaultContentItems>
              </PropertyGroup>
              <ItemGroup>
                <None Include="content/**" CopyToPublishDirectory="PreserveNewest" />
              </ItemGroup>
            </Project>
            """
        );
        File.WriteAllText(Path.Combine(folder, "Program.cs"), "System.Console.WriteLine(Edition.Number);\n");
        Sources.EditCode(contender, 0);
        WriteContent(Path.Combine(folder, "content"), bytes, files);
        contender.Adapt([Sources.ShopProject]);
    }

    // Half of it noise, half of it zeros: it compresses about as well as assemblies do.
    private static void WriteContent(string folder, long bytes, int files)
    {
        var random = new Random(1);
        var content = new byte[bytes / files];
        for (var file = 0; file < files; file++)
        {
            random.NextBytes(content.AsSpan(0, content.Length / 2));
            var part = Directory.CreateDirectory(Path.Combine(folder, (file / 500).ToString(CultureInfo.InvariantCulture))).FullName;
            File.WriteAllBytes(Path.Combine(part, $"{file}.bin"), content);
        }
    }
}

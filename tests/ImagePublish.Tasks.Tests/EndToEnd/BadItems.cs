namespace ImagePublish.Tasks.Tests.EndToEnd;

/// <summary>A mistake in a project file.</summary>
/// <param name="Code">The code that it has.</param>
/// <param name="Says">What the message must say.</param>
/// <param name="Xml">The elements; the one with an attribute <c>Culprit</c> is to blame.</param>
public sealed record BadItem(string Code, string Says, string Xml)
{
    /// <summary>The project's <c>ContainerAppCommandInstruction</c>.</summary>
    public string Instruction { get; init; } = "";

    public static IReadOnlyList<BadItem> All { get; } = [.. Targets, .. Files, .. Config, .. Commands, .. Variants];

    private static BadItem[] Variants =>
        [
            new("IMG1007", "expected a name of letters, digits", """<ImageVariant Include="de bug" Culprit="" />"""),
            new("IMG1007", "its TagSuffix has what tags can't end with", """<ImageVariant Include="debug" TagSuffix="/x" Culprit="" />"""),
            new(
                "IMG1007",
                "there are two of this name",
                """<ImageVariant Include="debug" /><ImageVariant Include="Debug" TagSuffix="-x" Culprit="" />"""
            ),
            new(
                "IMG1007",
                "it has the same tags as the variant 'debug'",
                """<ImageVariant Include="debug" /><ImageVariant Include="other" TagSuffix="-debug" Culprit="" />"""
            ),
            new(
                "IMG1007",
                "its Variant is 'debgu', and there is no ImageVariant of that name",
                """<ImageVariant Include="debug" /><ImageLabel Include="a" Value="b" Variant="debug;debgu" Culprit="" />"""
            ),
            new(
                "IMG1007",
                "a package is below the app",
                """<ImageVariant Include="debug" /><ImagePackage Include="procps" Variant="debug" Culprit="" />"""
            ),
        ];

    private static BadItem[] Targets =>
        [
            new(
                "IMG1017",
                "ImageFile 'Program.cs' has the Owner 'ghost', but the base image has no user 'ghost'",
                """<ImageFile Include="Program.cs" TargetPath="/etc/" Owner="ghost" Culprit="" />"""
            ),
            new("IMG1017", "has no group 'ghosts'", """<ImageDirectory Include="/var/x" Owner="app:ghosts" Culprit="" />"""),
            new("IMG1016", "'/srv/../../x' has a '..'", """<ImageFile Include="Program.cs" TargetPath="/srv/../../x" Culprit="" />"""),
            new("IMG1016", "'../x' has a '..'", """<ImageSymlink Include="../x" LinkTarget="/etc/passwd" Culprit="" />"""),
            new("IMG1016", "the root itself", """<ImageDirectory Include="/" Mode="0777" Culprit="" />"""),
            new(
                "IMG1016",
                "the base image has a link to '/usr/lib/zone' there",
                """<ImageFile Include="Program.cs" TargetPath="/etc/zone" Culprit="" />"""
            ),
            new(
                "IMG1016",
                "the base image has a directory there",
                """<ImageFile Include="Program.cs" TargetPath="/srv/shared" Culprit="" />"""
            ),
            new(
                "IMG1016",
                "'/etc/passwd' is a file in the base image",
                """<ImageFile Include="Program.cs" TargetPath="/etc/passwd/x" Culprit="" />"""
            ),
            new(
                "IMG1016",
                "the base image has a directory there",
                """<ImageSymlink Include="/usr/lib" LinkTarget="/lib64" Culprit="" />"""
            ),
            new(
                "IMG1016",
                "ImageFile 'Program.cs' puts something there, too",
                """<ImageFile Include="Program.cs" TargetPath="/lib/x" /><ImageSymlink Include="/usr/lib/x" LinkTarget="y" Culprit="" />"""
            ),
            new(
                "IMG1016",
                "the publish output puts something there, too",
                """<ImageFile Include="Program.cs" TargetPath="/app/Bad.dll" Culprit="" />"""
            ),
        ];

    private static BadItem[] Files =>
        [
            new("IMG1016", "there is no file", """<ImageFile Include="missing.txt" TargetPath="/etc/" Culprit="" />"""),
            new("IMG1016", "obj/**", """<ImageFile Include="obj" TargetPath="/etc/" Culprit="" />"""),
            new(
                "IMG1007",
                "Mode '999' is not three or four octal digits",
                """<ImageFile Include="Program.cs" TargetPath="/etc/" Mode="999" Culprit="" />"""
            ),
            new("IMG1007", "Owner '1:2:3'", """<ImageDirectory Include="/data" Owner="1:2:3" Culprit="" />"""),
            new("IMG1007", "LinkTarget", """<ImageSymlink Include="/etc/link" Culprit="" />"""),
            new("IMG1001", "'a::b' is not an image reference", """<ImageFile Include="/x" From="a::b" Culprit="" />"""),
            new("IMG1007", "scratch has neither files nor layers", """<ImageLayerFrom Include="scratch" Culprit="" />"""),
            new(
                "IMG1007",
                "it is the path to ask for, such as /health",
                """<ImageHealthcheck Include="health" Http="true" Culprit="" />"""
            ),
            new(
                "IMG1007",
                "it is the path to ask for, such as /health",
                """<ImageHealthcheck Include="/a%0d%0aHost: b" Http="true" Culprit="" />"""
            ),
            new(
                "IMG1007",
                "its Port is not a number from 1 to 65535",
                """<ImageHealthcheck Include="/health" Http="true" Port="http" Culprit="" />"""
            ),
            new("IMG1007", "layers are taken whole", """<ImageLayerFrom Include="ghcr.io/acme/x:1" Path="/x" Culprit="" />"""),
            new("IMG1016", "'/../x' has a '..'", """<ImageFile Include="x" From="ghcr.io/acme/x:1" Path="/../x" Culprit="" />"""),
            new("IMG3105", "has no image 'acme/nothing:1'", """<ImageFile Include="/x" From="store:acme/nothing:1" Culprit="" />"""),
        ];

    private static BadItem[] Config =>
        [
            new("IMG1007", "a name may not be empty", """<ImageLabel Include="%20" Value="x" Culprit="" />"""),
            new("IMG1007", "ImageLabel 'a=b'", """<ImageLabel Include="a=b" Culprit="" />"""),
            new("IMG1007", "ImageEnvironmentVariable 'A=b'", """<ImageEnvironmentVariable Include="A=b" Culprit="" />"""),
            new("IMG1007", "ImagePort '70000'", """<ImagePort Include="70000" Culprit="" />"""),
            new("IMG1007", "ImagePort '0'", """<ImagePort Include="80" /><ImagePort Include="0" Culprit="" />"""),
            new("IMG1007", "ImagePort '90-80'", """<ImagePort Include="90-80" Culprit="" />"""),
            new("IMG1007", "ImagePort '80'", """<ImagePort Include="80" Protocol="http" Culprit="" />"""),
            new("IMG1007", "its Interval 'often' is not a duration", """<ImageHealthcheck Include="true" Interval="often" Culprit="" />"""),
            new(
                "IMG1007",
                "its Scope 'image' is neither manifest nor index",
                """<ImageAnnotation Include="a" Value="b" Scope="image" Culprit="" />"""
            ),
        ];

    private static BadItem[] Commands =>
        [
            new(
                "IMG1018",
                "ContainerAppCommandInstruction is None",
                """<ContainerAppCommand Include="a" Culprit="" /><ContainerDefaultArgs Include="b" />"""
            )
            {
                Instruction = "None",
            },
            new("IMG1018", "makes the app the entry point", """<ContainerEntrypoint Include="a" Culprit="" />""")
            {
                Instruction = "Entrypoint",
            },
            new(
                "IMG1018",
                "ContainerEntrypointArgs needs a ContainerEntrypoint",
                """<ContainerEntrypointArgs Include="a" Culprit="" /><ContainerDefaultArgs Include="b" />"""
            ),
        ];
}

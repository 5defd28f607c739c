using System.Collections.Immutable;
using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;
using System.Security.Cryptography;
using System.Text;

namespace ImagePublish.Tests.Reproducing;

/// <summary>An assembly without code, with everything in it by which compilers and SDKs are known.</summary>
internal sealed record TestAssembly(string Name)
{
    private static readonly Guid CompilationOptions = new("B5FEEC05-8CD0-4A83-96DA-466284BB4BD8");
    private static readonly Guid Sha256 = new("8829d00f-11b8-4213-878b-770e8597ac16");

    public string InformationalVersion { get; init; } = "1.0.0+c0ffee";

    /// <summary>The project's folder as the compiler saw it.</summary>
    public string Folder { get; init; } = "/_/src/App";

    public string Compiler { get; init; } = "5.0.0-2.25464.1+abc";

    public string Configuration { get; init; } = "Release";

    public string Optimization { get; init; } = "release";

    public string Library { get; init; } = "1.0.0.0";

    public bool IsDeterministic { get; init; } = true;

    /// <summary>The sources by their names below the folder, and their content.</summary>
    public IReadOnlyDictionary<string, string> Sources { get; init; } = new Dictionary<string, string> { ["Program.cs"] = "return;\n" };

    // The same for the same compilation, as the compiler makes it.
    private Guid Identity =>
        new(SHA256.HashData(Encoding.UTF8.GetBytes($"{this with { Sources = Empty }} {string.Join(',', Sources)}")).AsSpan(0, 16));

    private static readonly Dictionary<string, string> Empty = [];

    public byte[] Pdb()
    {
        var metadata = new MetadataBuilder();
        foreach (var (name, text) in Sources)
            metadata.AddDocument(
                metadata.GetOrAddDocumentName($"{Folder}/{name}"),
                metadata.GetOrAddGuid(Sha256),
                metadata.GetOrAddBlob(SHA256.HashData(Encoding.UTF8.GetBytes(text))),
                default
            );
        var options = $"version\02\0compiler-version\0{Compiler}\0language\0C#\0optimization\0{Optimization}\0";
        metadata.AddCustomDebugInformation(
            EntityHandle.ModuleDefinition,
            metadata.GetOrAddGuid(CompilationOptions),
            metadata.GetOrAddBlob(Encoding.UTF8.GetBytes(options))
        );
        var pdb = new BlobBuilder();
        var rows = ImmutableArray.Create(new int[MetadataTokens.TableCount]);
        new PortablePdbBuilder(metadata, rows, default, _ => new BlobContentId(Identity, 1)).Serialize(pdb);
        return pdb.ToArray();
    }

    public byte[] Dll()
    {
        var metadata = new MetadataBuilder();
        metadata.AddModule(0, metadata.GetOrAddString(Name + ".dll"), metadata.GetOrAddGuid(Identity), default, default);
        var assembly = metadata.AddAssembly(
            metadata.GetOrAddString(Name),
            new Version(1, 0, 0, 0),
            default,
            default,
            0,
            AssemblyHashAlgorithm.None
        );
        var runtime = Reference(metadata, "System.Runtime", new Version(10, 0, 0, 0));
        Reference(metadata, "Library", Version.Parse(Library));
        AddInformationalVersion(metadata, assembly, runtime);
        metadata.AddTypeDefinition(
            default,
            default,
            metadata.GetOrAddString("<Module>"),
            default,
            MetadataTokens.FieldDefinitionHandle(1),
            MetadataTokens.MethodDefinitionHandle(1)
        );
        var debug = new DebugDirectoryBuilder();
        debug.AddCodeViewEntry($"{Folder}/obj/{Configuration}/net10.0/{Name}.pdb", new BlobContentId(Identity, 1), 0x0100);
        if (IsDeterministic)
            debug.AddReproducibleEntry();
        var image = new BlobBuilder();
        new ManagedPEBuilder(
            PEHeaderBuilder.CreateLibraryHeader(),
            new MetadataRootBuilder(metadata),
            new BlobBuilder(),
            debugDirectoryBuilder: debug,
            deterministicIdProvider: _ => new BlobContentId(Identity, 1)
        ).Serialize(image);
        return image.ToArray();
    }

    private static AssemblyReferenceHandle Reference(MetadataBuilder metadata, string name, Version version) =>
        metadata.AddAssemblyReference(metadata.GetOrAddString(name), version, default, default, default, default);

    private void AddInformationalVersion(MetadataBuilder metadata, AssemblyDefinitionHandle assembly, AssemblyReferenceHandle runtime)
    {
        var type = metadata.AddTypeReference(
            runtime,
            metadata.GetOrAddString("System.Reflection"),
            metadata.GetOrAddString("AssemblyInformationalVersionAttribute")
        );
        var signature = new BlobBuilder();
        new BlobEncoder(signature)
            .MethodSignature(isInstanceMethod: true)
            .Parameters(1, returned => returned.Void(), parameters => parameters.AddParameter().Type().String());
        var constructor = metadata.AddMemberReference(type, metadata.GetOrAddString(".ctor"), metadata.GetOrAddBlob(signature));
        var value = new BlobBuilder();
        value.WriteUInt16(1);
        value.WriteSerializedString(InformationalVersion);
        value.WriteUInt16(0);
        metadata.AddCustomAttribute(assembly, constructor, metadata.GetOrAddBlob(value));
    }
}

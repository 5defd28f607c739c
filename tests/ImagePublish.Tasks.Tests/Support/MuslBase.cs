using System.Formats.Tar;
using System.Text.Json.Nodes;

namespace ImagePublish.Tasks.Tests.Support;

/// <summary>
/// A base image whose C library is musl, in the likeness of Alpine's <c>runtime-deps</c>: musl from its Debian package, and this machine's
/// C++ runtime, which runs on it with a few functions of glibc's added. For amd64.
/// </summary>
public static class MuslBase
{
    // What the C++ runtime takes from glibc and musl does not have. Musl loads it as the library that they are looked for in.
    private const string Glue = """
        #include <stddef.h>
        struct segment { unsigned type, flags; unsigned long offset, address, physical, file_size, memory_size, align; };
        struct object { unsigned long base; const char *name; const struct segment *segments; unsigned short count; };
        struct found { unsigned long long flags; void *start, *end, *map, *frames; unsigned long long reserved[7]; };
        struct search { unsigned long address; struct found *found; };
        int dl_iterate_phdr(int (*)(struct object *, size_t, void *), void *);
        size_t strftime_l(char *, size_t, const char *, const void *, void *);
        long getrandom(void *, size_t, unsigned);
        char __libc_single_threaded = 0;
        struct { unsigned vendor, type, subtype, features; } __cpu_model;
        int __cpu_indicator_init(void) { return 0; }
        int __cxa_thread_atexit_impl(void (*destroy)(void *), void *object, void *handle) { return 0; }
        size_t __strftime_l(char *text, size_t size, const char *format, const void *time, void *locale) { return strftime_l(text, size, format, time, locale); }
        unsigned arc4random(void) { unsigned value; getrandom(&value, sizeof value, 0); return value; }
        static int look(struct object *object, size_t size, void *data)
        {
            struct search *search = data;
            int hit = 0;
            search->found->frames = NULL;
            for (int i = 0; i < object->count; i++) {
                const struct segment *segment = &object->segments[i];
                unsigned long start = object->base + segment->address;
                if (segment->type == 0x6474e550) search->found->frames = (void *)start;
                if (segment->type == 1 && search->address >= start && search->address < start + segment->memory_size) {
                    search->found->start = (void *)start;
                    search->found->end = (void *)(start + segment->memory_size);
                    hit = 1;
                }
            }
            return hit && search->found->frames;
        }
        int _dl_find_object(void *address, struct found *found)
        {
            struct search search = { (unsigned long)address, found };
            return dl_iterate_phdr(look, &search) ? 0 : -1;
        }
        """;

    /// <summary>Puts it into a registry.</summary>
    /// <returns>Its reference.</returns>
    public static async Task<string> PushToAsync(DockerRegistry registry, string name, CancellationToken cancellationToken)
    {
        using var folder = new TemporaryFolder();
        var glue = folder["glue.so"];
        await new CommandLine("clang", "-O2", "-w", "-shared", "-fPIC", "-nostdlib", "-o", glue, folder.Write("glue.c", Glue)).SucceedAsync(
            cancellationToken
        );
        var writer = new LayoutWriter(folder["layout"]);
        var layer = await writer.AddLayerAsync(tar => WriteFilesAsync(tar, glue, cancellationToken), cancellationToken);
        var config = new JsonObject
        {
            ["architecture"] = "amd64",
            ["os"] = "linux",
            ["config"] = new JsonObject { ["Env"] = new JsonArray("PATH=/usr/bin:/bin", "APP_UID=1654") },
        };
        return await writer.PushAsync(writer.AddImage(config, layer), registry, name, cancellationToken);
    }

    private static async Task WriteFilesAsync(TarWriter tar, string glue, CancellationToken cancellationToken)
    {
        await tar.WriteEntryAsync(
            new GnuTarEntry(TarEntryType.Directory, "tmp/") { Mode = (UnixFileMode)0b1_111_111_111 },
            cancellationToken
        );
        await tar.WriteEntryAsync(
            new GnuTarEntry(TarEntryType.Directory, "lib/") { Mode = (UnixFileMode)0b111_101_101 },
            cancellationToken
        );
        await WriteAsync("lib/ld-musl-x86_64.so.1", "/lib/x86_64-linux-musl/libc.so");
        await WriteAsync("lib/libstdc++.so.6", "/usr/lib/x86_64-linux-gnu/libstdc++.so.6");
        await WriteAsync("lib/libgcc_s.so.1", "/lib/x86_64-linux-gnu/libgcc_s.so.1");
        await WriteAsync("lib/ld-linux-x86-64.so.2", glue);
        await tar.WriteEntryAsync(
            new GnuTarEntry(TarEntryType.SymbolicLink, "lib/libc.musl-x86_64.so.1") { LinkName = "ld-musl-x86_64.so.1" },
            cancellationToken
        );

        async Task WriteAsync(string name, string file)
        {
            await using var content = File.OpenRead(file);
            await tar.WriteEntryAsync(
                new GnuTarEntry(TarEntryType.RegularFile, name) { Mode = (UnixFileMode)0b111_101_101, DataStream = content },
                cancellationToken
            );
        }
    }
}

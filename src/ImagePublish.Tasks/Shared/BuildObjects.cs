using System.Collections.Concurrent;
using Microsoft.Build.Framework;

namespace ImagePublish.Tasks.Shared;

/// <summary>What all tasks of a build share, in whatever project they run. MSBuild disposes of it when the build ends.</summary>
internal static class BuildObjects
{
    private static readonly Lock Gate = new();

    /// <summary>The build's object of a type, which is made where there is none yet.</summary>
    public static T GetOrAdd<T>(IBuildEngine4 engine, string name, Func<T> create)
        where T : class
    {
        lock (Gate)
        {
            if (Find<T>(engine, name) is { } known)
                return known;
            var created = create();
            Add(engine, name, created);
            return created;
        }
    }

    public static T? Find<T>(IBuildEngine4 engine, string name)
        where T : class => engine.GetRegisteredTaskObject(KeyOf<T>(name), RegisteredTaskObjectLifetime.Build) as T;

    public static void Add<T>(IBuildEngine4 engine, string name, T added)
        where T : class =>
        engine.RegisterTaskObject(KeyOf<T>(name), added, RegisteredTaskObjectLifetime.Build, allowEarlyCollection: false);

    public static T? Take<T>(IBuildEngine4 engine, string name)
        where T : class => engine.UnregisterTaskObject(KeyOf<T>(name), RegisteredTaskObjectLifetime.Build) as T;

    /// <summary>Whether a notice is given for the first time in this build: projects of a solution have the same problems.</summary>
    public static bool IsFirst(IBuildEngine4 engine, string notice) =>
        GetOrAdd(engine, "notices", () => new ConcurrentDictionary<string, bool>(StringComparer.Ordinal)).TryAdd(notice, true);

    // With the module: a build may load two versions of this package, and one's type is not the other's.
    private static string KeyOf<T>(string name) => $"{typeof(T).FullName}/{typeof(T).Module.ModuleVersionId}/{name}";
}

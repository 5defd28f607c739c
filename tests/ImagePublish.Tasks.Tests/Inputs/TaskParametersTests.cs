using System.Xml.Linq;
using ImagePublish.Diagnostics;
using ImagePublish.Tasks.Commands;
using Microsoft.Build.Framework;
using Microsoft.Build.Utilities;

namespace ImagePublish.Tasks.Tests.Inputs;

/// <summary>Parameters that the targets list once for several tasks.</summary>
public sealed class TaskParametersTests
{
    public static TheoryData<string, string> Lists
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (
                var task in Targets().SelectMany(file => file.Descendants()).Where(element => element.Attribute("Parameters") is not null)
            )
            {
                foreach (var list in task.Attribute("Parameters")!.Value.Split(';', StringSplitOptions.TrimEntries))
                    data.Add(task.Name.LocalName, list.Trim('@', '(', ')'));
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Lists))]
    public void EveryParameterOfAListIsOneOfTheTasks(string task, string list)
    {
        var type = typeof(ImageTask).Assembly.GetTypes().Single(type => type.Name == task && type.IsAssignableTo(typeof(ITask)));
        var names = Targets()
            .SelectMany(file => file.Descendants(list))
            .SelectMany(item => item.Attributes())
            .Select(attribute => attribute.Name.LocalName)
            .Where(name => name != "Include")
            .ToList();

        Assert.NotEmpty(names);
        Assert.All(names, name => Assert.True(type.GetProperty(name)?.CanWrite, $"{task} has no parameter '{name}'."));
    }

    // It can't take the list: targets run once, and what a later one sets would not be in it.
    [Fact]
    public void TheEarlyLayerBuildHasTheWholeConnection()
    {
        var early = Targets().SelectMany(file => file.Descendants("BeginImageEarly")).Single();
        var connection = Targets().SelectMany(file => file.Descendants("_ImageConnection")).Single();

        Assert.All(connection.Attributes().Where(attribute => attribute.Name.LocalName != "Include"), attribute =>
            Assert.Equal(attribute.Value, early.Attribute(attribute.Name)?.Value)
        );
    }

    [Fact]
    public void TheyAreReadAsMSBuildReadsParameters()
    {
        using var task = new PruneImages { Store = "before" };

        var wrong = TaskParameters.Apply(
            task,
            [Item(("Store", ""), ("Offline", "True"), ("Repository", "a;b %41")), Item(("StoreShared", "off"), ("AssemblyName", "App"))]
        );

        Assert.Null(wrong);
        Assert.Equal(
            ("before", true, "a;b %41", false, "App"),
            (task.Store, task.Offline, task.Repository, task.StoreShared, task.AssemblyName)
        );
    }

    [Fact]
    public void ASwitchThatIsNeitherTrueNorFalseIsAnErrorAndTheOthersHold()
    {
        using var task = new PruneImages();

        var wrong = Assert.IsType<ImagePublishException>(TaskParameters.Apply(task, [Item(("Offline", "maybe"), ("HelpFile", "help.md"))]));

        Assert.Equal("ImageOffline has the value 'maybe': expected true or false.", wrong.Message);
        Assert.Equal("help.md", task.HelpFile);
    }

    [Fact]
    public void AParameterThatTheTaskDoesNotHaveIsAMistakeOfTheTargets()
    {
        using var task = new PruneImages();

        Assert.Equal("PruneImages has no parameter 'Nonsense'.", TaskParameters.Apply(task, [Item(("Nonsense", "x"))])?.Message);
    }

    private static TaskItem Item(params (string Name, string Value)[] metadata)
    {
        ITaskItem2 item = new TaskItem("Parameters");
        foreach (var (name, value) in metadata)
            item.SetMetadataValueLiteral(name, value);
        return (TaskItem)item;
    }

    private static IEnumerable<XDocument> Targets() =>
        Directory.EnumerateFiles(Path.Combine(RepositoryRoot.Path, "build"), "*.targets").Select(file => XDocument.Load(file));
}

using System.Text.Json.Serialization;
using ImagePublish.Oci;

namespace ImagePublish.Publishing.Planning;

[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(Healthcheck))]
internal sealed partial class PlanningJsonContext : JsonSerializerContext;

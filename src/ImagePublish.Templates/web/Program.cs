var builder = WebApplication.CreateBuilder(args);
#if (healthCheck)
builder.Services.AddHealthChecks();
#endif
var app = builder.Build();

app.MapGet("/", () => "Hello World!");
#if (healthCheck)
app.MapHealthChecks("/health");
#endif

app.Run();

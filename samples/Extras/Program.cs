var port = Environment.GetEnvironmentVariable("ASPNETCORE_HTTP_PORTS") ?? "8080";
if (args is ["--health"])
{
    using var client = new HttpClient();
    using var answer = await client.GetAsync(new Uri($"http://localhost:{port}/health"));
    return answer.IsSuccessStatusCode ? 0 : 1;
}

var app = WebApplication.Create(args);
app.MapGet("/", () => File.ReadAllText("texts/motd.txt"));
app.MapGet("/health", () => Results.Ok());
app.MapPost("/notes/{name}", async (string name, HttpRequest request) =>
{
    await using var note = File.Create(Path.Combine("/data", Path.GetFileName(name)));
    await request.Body.CopyToAsync(note);
});
app.Run();
return 0;

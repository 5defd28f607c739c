using System.Runtime.InteropServices;

var app = WebApplication.Create(args);

app.MapGet("/", () => $"Hello from {RuntimeInformation.ProcessArchitecture}!");

app.Run();

using System.Diagnostics;

// jq comes from ImagePackage; there is no shell in the image to find it with.
var start = new ProcessStartInfo("/usr/bin/jq", ["-r", ".greeting"]) { RedirectStandardInput = true };
using var jq = Process.Start(start)!;
jq.StandardInput.Write("""{ "greeting": "Hello from nothing but packages!" }""");
jq.StandardInput.Close();
jq.WaitForExit();
return jq.ExitCode;

namespace ImagePublish.Tasks.Tests.Config;

/// <summary>An instruction of a Dockerfile, and how a project says the same.</summary>
/// <param name="Text">The instruction.</param>
/// <param name="Kind">The Dockerfile that it is tried in: instructions that don't disturb each other share one, in this order.</param>
/// <param name="Fact">Where it shows, see <see cref="ImageFacts"/>.</param>
/// <param name="Xml">How the project says it; empty where the project need say nothing.</param>
public sealed record DockerfileInstruction(string Text, string Kind, string Fact, string Xml)
{
    /// <summary>What our image says where that is meant to differ from Docker's: docs/migrating.md tells why.</summary>
    public string? Better { get; init; }
}

/// <summary>Instructions of Dockerfiles, each with the place where it shows.</summary>
public static class DockerfileInstructions
{
    /// <summary>The image whose files are compared, too.</summary>
    public const string FilesKind = "files";

    public static IReadOnlyList<DockerfileInstruction> All { get; } = [.. Variables, .. Network, .. Running, .. Wellbeing, .. Files];

    private static DockerfileInstruction[] Variables =>
        [
            new("ENV ONE=1", "general", "Env ONE", """<ImageEnvironmentVariable Include="ONE" Value="1" />"""),
            new(
                "ENV TWO=2 THREE=\"three  3\"",
                "general",
                "Env THREE",
                """<ImageEnvironmentVariable Include="TWO" Value="2" /><ImageEnvironmentVariable Include="THREE" Value="three  3" />"""
            ),
            new("ENV OLD the old form", "general", "Env OLD", """<ImageEnvironmentVariable Include="OLD" Value="the old form" />"""),
            new("ENV EMPTY=\"\"", "general", "Env EMPTY", """<ImageEnvironmentVariable Include="EMPTY" Value="" />"""),
            new("ENV INHERITED=own", "general", "Env", """<ImageEnvironmentVariable Include="INHERITED" Value="own" />"""),
            new(
                "ENV ASPNETCORE_HTTP_PORTS=\"\"",
                "general",
                "ExposedPorts 8080/tcp",
                """<ImageEnvironmentVariable Include="ASPNETCORE_HTTP_PORTS" Value="" />"""
            ),
            new(
                "ENV DIFFICULT=\"{difficult}\"",
                "general",
                "Env DIFFICULT",
                """<ImageEnvironmentVariable Include="DIFFICULT" Value="{difficult}" />"""
            ),
            new("LABEL com.example.own=x", "general", "Labels com.example.own", """<ImageLabel Include="com.example.own" Value="x" />"""),
            new(
                "LABEL com.example.a=\"b c\" com.example.d=e",
                "general",
                "Labels com.example.a",
                """<ImageLabel Include="com.example.a" Value="b c" /><ImageLabel Include="com.example.d" Value="e" />"""
            ),
            new("LABEL com.example.second=own", "general", "Labels", """<ImageLabel Include="com.example.second" Value="own" />"""),
            new(
                "LABEL com.example.empty=\"\"",
                "general",
                "Labels com.example.empty",
                """<ImageLabel Include="com.example.empty" Value="" />"""
            ),
            new(
                "LABEL com.example.difficult=\"{difficult}\"",
                "general",
                "Labels com.example.difficult",
                """<ImageLabel Include="com.example.difficult" Value="{difficult}" />"""
            ),
        ];

    private static DockerfileInstruction[] Network =>
        [
            new("EXPOSE 81", "general", "ExposedPorts 81/tcp", """<ImagePort Include="81" />"""),
            new("EXPOSE 8443/tcp 8444", "general", "ExposedPorts 8444/tcp", """<ImagePort Include="8443/tcp;8444" />"""),
            new("EXPOSE 53/udp", "general", "ExposedPorts 53/udp", """<ImagePort Include="53" Protocol="udp" />"""),
            new("EXPOSE 9/sctp", "general", "ExposedPorts 9/sctp", """<ImagePort Include="9/sctp" />"""),
            new("EXPOSE 6000", "general", "ExposedPorts 6000/tcp", """<ImagePort Include="6000" />"""),
            new("EXPOSE 7000-7002", "general", "ExposedPorts", """<ImagePort Include="7000-7002" />"""),
            new("VOLUME [\"/data\", \"/var/log\"]", "general", "Volumes /var/log", """<ImageVolume Include="/data;/var/log" />"""),
            new("VOLUME /one /two", "general", "Volumes", """<ImageVolume Include="/one;/two" />"""),
        ];

    private static DockerfileInstruction[] Running =>
        [
            new("USER nobody:nogroup", "general", "User", "<ImageUser>nobody:nogroup</ImageUser>"),
            new("USER 1001:0", "exec", "User", "<ImageUser>1001:0</ImageUser>"),
            new("WORKDIR /srv/app/", "general", "WorkingDir", "<ImageWorkingDirectory>/srv/app/</ImageWorkingDirectory>"),
            new("WORKDIR ../other", "exec", "WorkingDir", "<ImageWorkingDirectory>/other</ImageWorkingDirectory>"),
            new("STOPSIGNAL SIGQUIT", "general", "StopSignal", "<ImageStopSignal>SIGQUIT</ImageStopSignal>"),
            new("STOPSIGNAL 9", "exec", "StopSignal", "<ImageStopSignal>9</ImageStopSignal>"),
            new(
                "ENTRYPOINT [\"/usr/bin/env\", \"A=b c\", \"sh\"]",
                "general",
                "Entrypoint",
                """<ImageEntrypoint Include="/usr/bin/env;A=b c" /><ImageEntrypoint Include="sh" />"""
            ),
            new("CMD [\"-c\", \"echo \\\"hi\\\"\"]", "general", "Cmd", """<ImageCommand Include="-c;echo &quot;hi&quot;" />"""),
            new("ENTRYPOINT exec app --now", "shell", "Entrypoint", """<ImageEntrypoint Include="/bin/sh;-e;-c;exec app --now" />"""),
            new("CMD serve  --fast", "shell", "Cmd", """<ImageCommand Include="/bin/sh;-e;-c;serve  --fast" />"""),
            new("ENTRYPOINT [\"/alone\"]", "exec", "Entrypoint", """<ImageEntrypoint Include="/alone" />"""),
            new("# An entry point drops the base's CMD", "exec", "Cmd", ""),
            new("# The base's user stays", "shell", "User", ""),
            new("# The base's stop signal stays", "shell", "StopSignal", ""),
            new("# The base's environment stays", "shell", "Env", ""),
            new("# The base's volumes stay", "shell", "Volumes", ""),
            new("# The base's labels stay", "shell", "Labels", ""),
            new("# The base's shell stays", "shell", "Shell", ""),
        ];

    private static DockerfileInstruction[] Wellbeing =>
        [
            new(
                "HEALTHCHECK --interval=1m30s --timeout=2s --start-period=5s --retries=4 CMD test -e /tmp && true",
                "general",
                "Healthcheck",
                """<ImageHealthcheck Include="test -e /tmp &amp;&amp; true" Interval="1m30s" Timeout="2s" StartPeriod="5s" Retries="4" />"""
            ),
            new(
                "HEALTHCHECK --interval=500ms CMD [\"/app/health\", \"--quick\"]",
                "exec",
                "Healthcheck",
                """<ImageHealthcheck Include="/app/health;--quick" Interval="500ms" />"""
            ),
            new("HEALTHCHECK NONE", "files", "Healthcheck", """<ImageHealthcheck Include="NONE" />"""),
            new("# The base's health check stays", "shell", "Healthcheck", ""),
        ];

    private static DockerfileInstruction[] Files =>
        [
            new("WORKDIR /home/app/work", "files", "file /home/app/work", "<ImageWorkingDirectory>/home/app/work</ImageWorkingDirectory>"),
            new(
                "COPY one.txt /etc/renamed.txt",
                "files",
                "file /etc/renamed.txt",
                """<ImageFile Include="one.txt" TargetPath="/etc/renamed.txt" />"""
            ),
            new(
                "COPY one.txt relative/",
                "files",
                "file /home/app/work/relative/one.txt",
                """<ImageFile Include="one.txt" TargetPath="relative/" />"""
            ),
            new(
                "COPY tree/ /var/tree/",
                "files",
                "file /var/tree/deep/er/two.txt",
                """<ImageFile Include="tree/**" TargetPath="/var/tree/" />"""
            ),
            new(
                "COPY tool.sh /usr/bin/tool",
                "files",
                "file /usr/bin/tool",
                """<ImageFile Include="tool.sh" TargetPath="/usr/bin/tool" />"""
            ),
            new(
                "COPY one.txt /lib/through-a-link.txt",
                "files",
                "file /usr/lib/through-a-link.txt",
                """<ImageFile Include="one.txt" TargetPath="/lib/through-a-link.txt" />"""
            ),
            new("COPY one.txt /data/", "files", "file /srv/shared/one.txt", """<ImageFile Include="one.txt" TargetPath="/data/" />"""),
            new(
                "COPY --chown=app:staff one.txt /etc/of-app.txt",
                "files",
                "file /etc/of-app.txt",
                """<ImageFile Include="one.txt" TargetPath="/etc/of-app.txt" Owner="app:staff" />"""
            ),
            new(
                "COPY --chown=app one.txt /etc/group-of-app.txt",
                "files",
                "file /etc/group-of-app.txt",
                """<ImageFile Include="one.txt" TargetPath="/etc/group-of-app.txt" Owner="app" />"""
            ),
            new(
                "COPY --chown=12:34 one.txt /etc/by-number.txt",
                "files",
                "file /etc/by-number.txt",
                """<ImageFile Include="one.txt" TargetPath="/etc/by-number.txt" Owner="12:34" />"""
            ),
            new(
                "COPY --from={tools} /usr/bin/tool /usr/local/bin/",
                "files",
                "file /usr/local/bin/tool",
                """<ImageFile Include="/usr/bin/tool" From="{tools}" TargetPath="/usr/local/bin/" />"""
            ),
            new(
                "COPY --from={tools} /usr/bin/alias /usr/bin/followed",
                "files",
                "file /usr/bin/followed",
                """<ImageFile Include="/usr/bin/alias" From="{tools}" TargetPath="/usr/bin/followed" />"""
            ),
            new(
                "COPY --from={tools} /opt/agent /var/agent/",
                "files",
                "file /var/agent/config",
                """<ImageFile Include="agent" From="{tools}" Path="/opt/agent" TargetPath="/var/agent/" />"""
            ),
            new(
                "COPY --from={tools} /opt/agent /var/folder",
                "files",
                "file /var/folder/private",
                """<ImageFile Include="/opt/agent" From="{tools}" TargetPath="/var/folder" />"""
            ),
            new(
                "COPY --from={tools} /opt/agent /var/links",
                "files",
                "file /var/links/link",
                """<ImageFile Include="/opt/agent" From="{tools}" TargetPath="/var/links" />"""
            ),
            new(
                "COPY --from={tools} /opt/agent /var/removed",
                "files",
                "file /var/removed/gone",
                """<ImageFile Include="/opt/agent" From="{tools}" TargetPath="/var/removed" />"""
            ),
            new(
                "COPY --from={tools} --chown=app:staff /opt/agent /var/owned",
                "files",
                "file /var/owned/private/key",
                """<ImageFile Include="/opt/agent" From="{tools}" TargetPath="/var/owned" Owner="app:staff" />"""
            ),
            new(
                "COPY --from={tools} /opt/agent /srv/shared",
                "files",
                "file /data",
                """<ImageFile Include="/opt/agent" From="{tools}" TargetPath="/srv/shared" />"""
            ),
            new("USER root", "files", "User", "<ImageUser>root</ImageUser>"),
            new(
                "RUN cp /etc/renamed.txt /etc/secret.txt && chmod 0600 /etc/secret.txt",
                "files",
                "file /etc/secret.txt",
                """<ImageFile Include="one.txt" TargetPath="/etc/secret.txt" Mode="0600" />"""
            ),
            new(
                "RUN mkdir -p /var/own && chown app /var/own && chmod 1770 /var/own",
                "files",
                "file /var/own",
                """<ImageDirectory Include="/var/own" Owner="app:0" Mode="1770" />"""
            ),
            new(
                "RUN chown nobody /srv/shared",
                "files",
                "file /srv/shared",
                """<ImageDirectory Include="/srv/shared" Owner="nobody:staff" />"""
            ),
            new(
                "RUN ln -s /usr/bin/tool /usr/bin/alias",
                "files",
                "file /usr/bin/alias",
                """<ImageSymlink Include="/usr/bin/alias" LinkTarget="/usr/bin/tool" />"""
            ),
            new(
                "# Folders of the base stay as they are",
                "files",
                "file /home/app",
                """<ImageFile Include="one.txt" TargetPath="/home/app/" />"""
            ),
            new("# Links of the base stay links", "files", "file /lib", ""),
            new("# Files of the base stay", "files", "file /etc/passwd", ""),
            new("# The working directory is the base's where nothing is said", "shell", "WorkingDir", "") { Better = "/app" },
        ];
}

using System;
using System.IO;
using System.Net;
using System.Reflection;
using System.Text;
using System.Text.RegularExpressions;

/// <summary>
/// Compiles sources one after another, from descriptor 3 to descriptor 4, with the compiler that its first argument
/// names and the options that follow.
/// </summary>
/// <remarks>
/// Frames are four bytes of length, then the content. A request is a source. The answer is O, the program's tag
/// or blanks, and the assembly; or E and the errors. The first frame, an empty one, is a greeting.
/// </remarks>
public static class CompileServer
{
    const int MostErrors = 5;
    static MethodInfo invoke;
    static string[] options;

    public static void Main(string[] arguments)
    {
        invoke = Assembly.LoadFrom(arguments[0])
            .GetType("Mono.CSharp.CompilerCallableEntryPoint", true)
            .GetMethod("InvokeCompiler");
        options = new string[arguments.Length - 1];
        Array.Copy(arguments, 1, options, 0, options.Length);
        Directory.SetCurrentDirectory(Environment.GetEnvironmentVariable("TMPDIR"));
        // The first compilation is the slow one, so it is done before anybody waits; and it shows that all is there.
        byte[] first = Compile(Encoding.UTF8.GetBytes("class Warm { static void Main() { } }"));
        if (first[0] != 'O')
        {
            Console.Error.WriteLine(Encoding.UTF8.GetString(first, 1, first.Length - 1));
            Environment.Exit(1);
        }
        using (var requests = new FileStream("/dev/fd/3", FileMode.Open, FileAccess.Read, FileShare.ReadWrite, 1))
        using (var answers = new FileStream("/dev/fd/4", FileMode.Open, FileAccess.Write, FileShare.ReadWrite, 1))
        {
            Answer(answers, new byte[0]);
            byte[] size;
            while ((size = Read(requests, 4)) != null)
            {
                byte[] source = Read(requests, IPAddress.NetworkToHostOrder(BitConverter.ToInt32(size, 0)));
                Answer(answers, Compile(source));
            }
        }
    }

    static byte[] Compile(byte[] source)
    {
        File.WriteAllBytes("main.cs", source);
        File.Delete("main.exe");
        var said = new StringWriter();
        var all = new string[options.Length + 2];
        options.CopyTo(all, 0);
        all[options.Length] = "-out:main.exe";
        all[options.Length + 1] = "main.cs";
        if ((bool)invoke.Invoke(null, new object[] { all, said }) && File.Exists("main.exe"))
        {
            byte[] assembly = File.ReadAllBytes("main.exe");
            byte[] head = Encoding.ASCII.GetBytes("O" + Tag(Encoding.UTF8.GetString(source)));
            var answer = new byte[head.Length + assembly.Length];
            head.CopyTo(answer, 0);
            assembly.CopyTo(answer, head.Length);
            return answer;
        }
        var errors = new StringBuilder("E");
        int count = 0;
        foreach (string line in said.ToString().Split('\n'))
        {
            if (line.Contains("error CS") && count++ < MostErrors)
            {
                errors.Append(line).Append('\n');
            }
        }
        return Encoding.UTF8.GetBytes(errors.Length > 1 ? errors.ToString() : "E" + said);
    }

    /// <summary>The tag in the last line of a source with tests, else as many blanks.</summary>
    static string Tag(string source)
    {
        Match match = Regex.Match(source, "\n//([0-9a-f]{32})$");
        return match.Success ? match.Groups[1].Value : new string(' ', 32);
    }

    static void Answer(Stream answers, byte[] content)
    {
        byte[] size = BitConverter.GetBytes(IPAddress.HostToNetworkOrder(content.Length));
        answers.Write(size, 0, size.Length);
        answers.Write(content, 0, content.Length);
        answers.Flush();
    }

    /// <summary>The next bytes, null at the end.</summary>
    static byte[] Read(Stream requests, int count)
    {
        var content = new byte[count];
        for (int have = 0; have < count;)
        {
            int got = requests.Read(content, have, count - have);
            if (got == 0)
            {
                return null;
            }
            have += got;
        }
        return content;
    }
}

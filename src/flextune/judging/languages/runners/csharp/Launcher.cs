using System;
using System.Diagnostics;
using System.IO;
using System.Reflection;

/// <summary>Runs one program and tells, over descriptor 4, how far it came.</summary>
public static class Launcher
{
    const int SecretBytes = 32;
    static readonly Failing failing = new Failing();
    static FileStream reports;

    public static int Main(string[] arguments)
    {
        byte[] secret = ReadSecret();
        reports = new FileStream("/dev/fd/4", FileMode.Open, FileAccess.Write, FileShare.ReadWrite, 1);
        Report((byte)'S', (byte)'R');
        Trace.Listeners.Clear();
        Trace.Listeners.Add(failing);
        int status;
        try
        {
            status = AppDomain.CurrentDomain.ExecuteAssembly(arguments[0], new string[0]);
        }
        catch (Exception error)
        {
            Report((byte)(error is OutOfMemoryException ? 'M' : 'E'));
            Console.Error.WriteLine("Unhandled exception: " + error);
            return 1;
        }
        // The tests' main method has left itself there; what has called it must not be the program's own.
        var main = AppDomain.CurrentDomain.GetData(arguments[1]) as MethodBase;
        bool began = arguments[1] == "" || (main != null && IsEntry(main, main.Module.Assembly.EntryPoint));
        // Who takes the listener away has switched assertions off.
        if ((status & 255) == 0 && began && Trace.Listeners.Contains(failing))
        {
            Report(secret);
        }
        return status;
    }

    static bool IsEntry(MethodBase main, MethodBase entry)
    {
        return entry != null && main.DeclaringType == entry.DeclaringType && main.Name == entry.Name;
    }

    static byte[] ReadSecret()
    {
        var secret = new byte[SecretBytes];
        using (var secrets = new FileStream("/dev/fd/3", FileMode.Open, FileAccess.Read, FileShare.ReadWrite, 1))
        {
            for (int have = 0; have < SecretBytes;)
            {
                int got = secrets.Read(secret, have, SecretBytes - have);
                if (got == 0)
                {
                    Environment.Exit(127);
                }
                have += got;
            }
        }
        return secret;
    }

    static void Report(params byte[] content)
    {
        reports.Write(content, 0, content.Length);
        reports.Flush();
    }

    /// <summary>Ends the program where an assertion fails, whatever it would catch.</summary>
    sealed class Failing : TraceListener
    {
        public override void Fail(string message, string detail)
        {
            Report((byte)'A');
            Console.Error.WriteLine(("Assertion failed. " + message + " " + detail).Trim());
            Environment.Exit(1);
        }

        public override void Fail(string message)
        {
            Fail(message, "");
        }

        public override void Write(string message)
        {
        }

        public override void WriteLine(string message)
        {
        }
    }
}

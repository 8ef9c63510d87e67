package flextune;

import java.io.DataInputStream;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.Arrays;

/**
 * Runs the main method of one program and tells, over descriptor 4, how far it came.
 *
 * <p>The arguments are the class and, where the program has tests, the name of the property that their main method sets.
 */
public final class Launcher {
    private static final int SECRET_BYTES = 32;
    private static final int MOST_FRAMES = 12;

    public static void main(String[] arguments) throws Throwable {
        byte[] secret = new byte[SECRET_BYTES];
        try (DataInputStream secrets = new DataInputStream(new FileInputStream("/dev/fd/3"))) {
            secrets.readFully(secret);
        }
        FileOutputStream reports = new FileOutputStream("/dev/fd/4");
        reports.write(new byte[] {'S', 'R'});
        try {
            Method main = Class.forName(arguments[0]).getDeclaredMethod("main", String[].class);
            main.setAccessible(true);
            main.invoke(null, (Object) new String[0]);
        } catch (Throwable thrown) {
            Throwable cause = thrown;
            while (cause.getCause() != null
                    && (cause instanceof InvocationTargetException || cause instanceof ExceptionInInitializerError)) {
                cause = cause.getCause();
            }
            reports.write(letter(cause));
            cause.setStackTrace(ofProgram(cause.getStackTrace()));
            throw cause;
        }
        if (arguments.length < 2 || System.getProperty(arguments[1]) != null) {
            reports.write(secret);
        }
    }

    /** The innermost frames of the program, without those of reflection and of this class. */
    private static StackTraceElement[] ofProgram(StackTraceElement[] frames) {
        int end = 0;
        while (end < frames.length && end < MOST_FRAMES && !frames[end].getClassName().startsWith("jdk.internal.reflect.")) {
            end++;
        }
        return Arrays.copyOf(frames, end);
    }

    private static char letter(Throwable cause) {
        if (cause instanceof AssertionError) {
            return 'A';
        }
        boolean noThread = cause.getMessage() != null && cause.getMessage().contains("native thread");
        return cause instanceof OutOfMemoryError && !noThread ? 'M' : 'E';
    }
}

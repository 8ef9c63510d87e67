package flextune;

import com.sun.source.util.JavacTask;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.Writer;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import javax.lang.model.element.Element;
import javax.lang.model.element.ElementKind;
import javax.lang.model.element.ExecutableElement;
import javax.lang.model.element.Modifier;
import javax.lang.model.element.TypeElement;
import javax.lang.model.util.ElementFilter;
import javax.tools.Diagnostic;
import javax.tools.DiagnosticCollector;
import javax.tools.FileObject;
import javax.tools.ForwardingJavaFileManager;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileManager;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;

/**
 * Compiles sources one after another, from descriptor 3 to descriptor 4, and keeps nothing on disk.
 *
 * <p>Frames are four bytes of length, then the content. A request is a source. The answer is {@code O}, the name of
 * the class with the main method, perhaps a blank and the program's tag, a newline and a jar of the classes; or {@code E} and the errors; or {@code M} when the
 * heap was too small, after which the server ends. The first frame, an empty one, is a greeting.
 */
public final class CompileServer {
    private static final long STACK_BYTES = 64L << 20;
    private static final JavaCompiler COMPILER = ToolProvider.getSystemJavaCompiler();

    public static void main(String[] arguments) throws Exception {
        Thread thread = new Thread(null, () -> serve(arguments), "compiler", STACK_BYTES);
        thread.start();
        thread.join();
    }

    private static void serve(String[] arguments) {
        List<String> options = List.of("-cp", arguments[0], "-proc:none", "-nowarn", "-Xlint:none", "-implicit:none");
        try (DataInputStream requests = new DataInputStream(new FileInputStream("/dev/fd/3"));
                DataOutputStream answers = new DataOutputStream(new FileOutputStream("/dev/fd/4"));
                StandardJavaFileManager files = COMPILER.getStandardFileManager(null, null, StandardCharsets.UTF_8)) {
            // The first compilation loads most of the compiler, so it is done before anybody waits.
            compile("public class Warm { public static void main(String[] a) { assert a != null : \"\" + a; } }",
                    files, options);
            answers.writeInt(0);
            while (true) {
                byte[] source = new byte[requests.readInt()];
                requests.readFully(source);
                byte[] answer;
                try {
                    answer = compile(new String(source, StandardCharsets.UTF_8), files, options);
                } catch (RuntimeException | OutOfMemoryError | StackOverflowError error) {
                    if (fromFullHeap(error)) {
                        answers.writeInt(1);
                        answers.writeByte('M');
                        return;
                    }
                    answer = ("Ethe compiler failed: " + error).getBytes(StandardCharsets.UTF_8);
                }
                answers.writeInt(answer.length);
                answers.write(answer);
            }
        } catch (IOException end) {
            // The judge closed the channel.
        }
    }

    /** The compiler wraps what it did not expect. */
    private static boolean fromFullHeap(Throwable error) {
        for (Throwable cause = error; cause != null; cause = cause.getCause()) {
            if (cause instanceof OutOfMemoryError) {
                return true;
            }
        }
        return false;
    }

    private static byte[] compile(String text, StandardJavaFileManager standard, List<String> options)
            throws IOException {
        DiagnosticCollector<JavaFileObject> diagnostics = new DiagnosticCollector<>();
        Memory classes = new Memory(standard);
        JavacTask task = (JavacTask) COMPILER.getTask(
                Writer.nullWriter(), classes, diagnostics, options, null, List.of(new Source(text)));
        task.parse();
        String tag = tag(text);
        String name = null;
        for (Element element : task.analyze()) {
            if (element instanceof TypeElement type && declaresMain(type)
                    && (name == null || !tag.isEmpty() || type.getModifiers().contains(Modifier.PUBLIC))) {
                name = type.getQualifiedName().toString();
            }
        }
        task.generate();
        StringBuilder errors = new StringBuilder();
        diagnostics.getDiagnostics().stream()
                .filter(diagnostic -> diagnostic.getKind() == Diagnostic.Kind.ERROR)
                .forEach(diagnostic -> errors.append(diagnostic).append('\n'));
        if (errors.length() == 0 && name == null) {
            errors.append("no class has a method: public static void main(String[])");
        }
        if (errors.length() > 0) {
            return ("E" + errors).getBytes(StandardCharsets.UTF_8);
        }
        return classes.answer(name + tag);
    }

    /** With a blank before it, the tag in the source's last line, which says that it has tests: their main is the last. */
    private static String tag(String text) {
        String line = text.substring(text.lastIndexOf('\n') + 1);
        return line.matches("//[0-9a-f]{32}") ? " " + line.substring(2) : "";
    }

    private static boolean declaresMain(TypeElement type) {
        for (ExecutableElement method : ElementFilter.methodsIn(type.getEnclosedElements())) {
            if (method.getSimpleName().contentEquals("main")
                    && method.getModifiers().containsAll(Set.of(Modifier.PUBLIC, Modifier.STATIC))
                    && method.getParameters().size() == 1
                    && method.getParameters().get(0).asType().toString().equals("java.lang.String[]")) {
                return type.getEnclosingElement().getKind() == ElementKind.PACKAGE;
            }
        }
        return false;
    }

    /** A source whose public class may have any name. */
    private static final class Source extends SimpleJavaFileObject {
        private final String text;

        Source(String text) {
            super(URI.create("string:///Problem.java"), Kind.SOURCE);
            this.text = text;
        }

        @Override
        public CharSequence getCharContent(boolean ignoreEncodingErrors) {
            return text;
        }

        @Override
        public String getName() {
            return "Problem.java";
        }

        @Override
        public boolean isNameCompatible(String simpleName, Kind kind) {
            return kind == Kind.SOURCE;
        }
    }

    /** Keeps compiled classes in memory. */
    private static final class Memory extends ForwardingJavaFileManager<JavaFileManager> {
        private final Map<String, ByteArrayOutputStream> classes = new LinkedHashMap<>();

        Memory(JavaFileManager standard) {
            super(standard);
        }

        @Override
        public JavaFileObject getJavaFileForOutput(Location location, String name, JavaFileObject.Kind kind, FileObject sibling) {
            return new SimpleJavaFileObject(URI.create("memory:///" + name.replace('.', '/') + ".class"), kind) {
                @Override
                public OutputStream openOutputStream() {
                    return classes.computeIfAbsent(name, ignored -> new ByteArrayOutputStream());
                }
            };
        }

        byte[] answer(String main) throws IOException {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            bytes.write(("O" + main + "\n").getBytes(StandardCharsets.UTF_8));
            try (ZipOutputStream jar = new ZipOutputStream(bytes)) {
                jar.setLevel(0);
                for (Map.Entry<String, ByteArrayOutputStream> entry : classes.entrySet()) {
                    jar.putNextEntry(new ZipEntry(entry.getKey().replace('.', '/') + ".class"));
                    entry.getValue().writeTo(jar);
                    jar.closeEntry();
                }
            }
            return bytes.toByteArray();
        }

        @Override
        public void close() {
            // The standard manager below stays open for the next source.
        }
    }
}

package flextune

import java.io._
import java.nio.charset.StandardCharsets.UTF_8
import java.util.zip.{ZipEntry, ZipOutputStream}
import scala.collection.mutable
import scala.reflect.io.{AbstractFile, VirtualDirectory}
import scala.tools.nsc.reporters.ConsoleReporter
import scala.tools.nsc.{Global, Settings}

/** Compiles sources one after another, from descriptor 3 to descriptor 4, and keeps nothing on disk.
  *
  * Frames are four bytes of length, then the content. A request is a source. The answer is O, the name of the class with
  * the main method, perhaps a blank and the program's tag, a newline and a jar of the classes; or E and the errors; or M when the heap was too small, after which
  * the server ends. The first frame, an empty one, is a greeting.
  *
  * Every source gets a compiler of its own, whose classes are warm but whose tables are empty: one that stays would let
  * a program see the definitions of an earlier one.
  */
object ScalaCompileServer {
  private val mostErrors = 5
  private val stackBytes = 64L << 20

  /** The only argument is the class path of programs. */
  def main(arguments: Array[String]): Unit = {
    val thread = new Thread(null, new Runnable { def run(): Unit = serve(arguments(0)) }, "compiler", stackBytes)
    thread.start()
    thread.join()
  }

  private def serve(classPath: String): Unit = {
    val requests = new DataInputStream(new FileInputStream("/dev/fd/3"))
    val answers = new DataOutputStream(new FileOutputStream("/dev/fd/4"))
    // The first compilation loads most of the compiler, so it is done before anybody waits.
    compile("object Warm { def main(a: Array[String]) = assert(a.map(_ + 1).toList.isEmpty) }", classPath)
    answers.writeInt(0)
    try {
      while (true) {
        val source = new Array[Byte](requests.readInt())
        requests.readFully(source)
        val answer =
          try compile(new String(source, UTF_8), classPath)
          catch {
            case _: OutOfMemoryError =>
              answers.writeInt(1)
              answers.writeByte('M')
              return
            case error @ (_: Exception | _: StackOverflowError | _: AssertionError) =>
              s"Ethe compiler failed: $error".getBytes(UTF_8)
          }
        answers.writeInt(answer.length)
        answers.write(answer)
      }
    } catch {
      case _: IOException => // The judge closed the channel.
    }
  }

  private def compile(text: String, classPath: String): Array[Byte] = {
    val settings = new Settings
    settings.processArguments(List("-nowarn", "-encoding", "UTF-8", "-classpath", classPath), processAll = true)
    val output = new VirtualDirectory("classes", None)
    settings.outputDirs.setSingleOutput(output)
    val said = new StringWriter
    val reporter = new ConsoleReporter(settings, null, new PrintWriter(said))
    val global = new Global(settings, reporter)
    val run = new global.Run
    run.compileSources(List(global.newSourceFile(text, "main.scala")))
    val classes = mutable.LinkedHashMap[String, Array[Byte]]()
    collect(output, "", classes)
    if (reporter.hasErrors) s"E${first(said.toString)}".getBytes(UTF_8)
    else
      mainClass(classes, text) match {
        case Some(name) => s"O$name${tag(text)}\n".getBytes(UTF_8) ++ jar(classes)
        case None       => "Eno object has a method: def main(args: Array[String])".getBytes(UTF_8)
      }
  }

  private def first(said: String): String = {
    val starts = "(?m)^main\\.scala:\\d+: error:".r.findAllMatchIn(said).map(_.start).toList
    said.substring(0, starts.lift(mostErrors).getOrElse(said.length))
  }

  private def collect(folder: AbstractFile, prefix: String, found: mutable.Map[String, Array[Byte]]): Unit =
    for (file <- folder) {
      if (file.isDirectory) collect(file, s"$prefix${file.name}.", found)
      else found(prefix + file.name.stripSuffix(".class")) = file.toByteArray
    }

  /** With a blank before it, the tag in the source's last line, which says that it has tests. */
  private def tag(text: String): String = {
    val line = text.substring(text.lastIndexOf('\n') + 1)
    if (line.matches("//[0-9a-f]{32}")) " " + line.substring(2) else ""
  }

  /** The first object of the source with a main method, or the last where it has tests; looking at a class initializes
    * nothing of it.
    */
  private def mainClass(classes: mutable.Map[String, Array[Byte]], text: String): Option[String] = {
    val last = tag(text).nonEmpty
    def place(name: String): Int = {
      val head = s"object ${name.split('.').last}"
      if (last) -text.lastIndexOf(head) else text.indexOf(head)
    }
    object loader extends ClassLoader(getClass.getClassLoader) {
      override def findClass(name: String): Class[_] = classes.get(name) match {
        case Some(bytes) => defineClass(name, bytes, 0, bytes.length)
        case None        => throw new ClassNotFoundException(name)
      }
    }
    classes.keys.toList.filterNot(_.contains('$')).sortBy(place).find { name =>
      try {
        val method = loader.findClass(name).getMethod("main", classOf[Array[String]])
        java.lang.reflect.Modifier.isStatic(method.getModifiers)
      } catch {
        case _: ReflectiveOperationException | _: LinkageError => false
      }
    }
  }

  private def jar(classes: mutable.Map[String, Array[Byte]]): Array[Byte] = {
    val bytes = new ByteArrayOutputStream
    val out = new ZipOutputStream(bytes)
    out.setLevel(0)
    for ((name, content) <- classes) {
      out.putNextEntry(new ZipEntry(name.replace('.', '/') + ".class"))
      out.write(content)
      out.closeEntry()
    }
    out.close()
    bytes.toByteArray
  }
}

// Compiles Go programs one after another, from descriptor 3 to descriptor 4, with the toolchain's own compiler and
// linker but without the go command, which spends most of its time on finding out that nothing has changed.
//
// Usage:
//
//	compile_server pack                      write the compiled standard library, as a zip file, to descriptor 4
//	compile_server serve ARCHIVE RUNNER      answer requests
//
// Frames are four bytes of length, then the content. A request is a source. The answer is O and the executable, or
// E and the errors. The first frame, an empty one, is a greeting.
package main

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

const (
	index      = "index"
	program    = "flextune/program"
	runner     = "flextune/runner"
	sourceName = "main_test.go"
	mostErrors = 5
)

func main() {
	err := errors.New("usage: compile_server pack | serve ARCHIVE RUNNER")
	switch {
	case len(os.Args) == 2 && os.Args[1] == "pack":
		err = pack(os.NewFile(4, "answers"))
	case len(os.Args) == 4 && os.Args[1] == "serve":
		err = serve(os.Args[2], os.Args[3])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// pack writes what the go command has, or makes, of the standard library: the compiled packages, and for each the
// packages that it needs.
func pack(out io.Writer) error {
	const line = `{{if .Export}}{{.ImportPath}} {{.Export}}{{range .Deps}} {{.}}{{end}}{{end}}`
	command := exec.Command(filepath.Join(runtime.GOROOT(), "bin", "go"), "list", "-export", "-f", line, "std")
	command.Stderr = os.Stderr
	listed, err := command.Output()
	if err != nil {
		return err
	}
	archive := zip.NewWriter(out)
	var dependencies strings.Builder
	for _, line := range strings.Split(strings.TrimSpace(string(listed)), "\n") {
		fields := strings.Fields(line)
		if len(fields) < 2 {
			continue
		}
		fmt.Fprintln(&dependencies, fields[0], strings.Join(fields[2:], " "))
		content, err := os.ReadFile(fields[1])
		if err != nil {
			return err
		}
		if err := store(archive, fields[0]+".a", content); err != nil {
			return err
		}
	}
	if err := store(archive, index, []byte(dependencies.String())); err != nil {
		return err
	}
	return archive.Close()
}

func store(archive *zip.Writer, name string, content []byte) error {
	entry, err := archive.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store})
	if err == nil {
		_, err = entry.Write(content)
	}
	return err
}

// library is the compiled standard library, of which a program's part is unpacked when it is first needed.
type library struct {
	folder       string
	archive      *zip.ReadCloser
	dependencies map[string][]string
	unpacked     map[string]bool
}

func openLibrary(name, folder string) (*library, error) {
	archive, err := zip.OpenReader(name)
	if err != nil {
		return nil, err
	}
	found := &library{folder, archive, map[string][]string{}, map[string]bool{}}
	content, err := found.read(index)
	if err != nil {
		return nil, err
	}
	for _, line := range strings.Split(strings.TrimSpace(string(content)), "\n") {
		fields := strings.Fields(line)
		found.dependencies[fields[0]] = fields[1:]
	}
	return found, nil
}

func (lib *library) read(name string) ([]byte, error) {
	file, err := lib.archive.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(file)
}

// unpack makes a package and all that it needs available; what the library does not have is left to the compiler
// to complain about.
func (lib *library) unpack(path string) error {
	needed, known := lib.dependencies[path]
	if !known || lib.unpacked[path] {
		return nil
	}
	lib.unpacked[path] = true
	content, err := lib.read(path + ".a")
	if err == nil {
		err = write(lib.file(path), content)
	}
	for _, dependency := range needed {
		if err == nil {
			err = lib.unpack(dependency)
		}
	}
	return err
}

func (lib *library) file(path string) string {
	return filepath.Join(lib.folder, filepath.FromSlash(path)+".a")
}

// config tells compiler and linker where packages are.
func (lib *library) config(extra ...string) []byte {
	var text bytes.Buffer
	for path := range lib.unpacked {
		fmt.Fprintf(&text, "packagefile %s=%s\n", path, lib.file(path))
	}
	for _, path := range extra {
		fmt.Fprintf(&text, "packagefile %s=%s\n", path, lib.file(path))
	}
	return text.Bytes()
}

func write(name string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	return os.WriteFile(name, content, 0o644)
}

func serve(archive, runnerSource string) error {
	folder, err := os.MkdirTemp("", "go")
	if err != nil {
		return err
	}
	lib, err := openLibrary(archive, folder)
	if err != nil {
		return err
	}
	if err := compileRunner(lib, runnerSource); err != nil {
		return err
	}
	requests, answers := os.NewFile(3, "requests"), os.NewFile(4, "answers")
	if err := send(answers, nil); err != nil {
		return err
	}
	for {
		var size uint32
		if binary.Read(requests, binary.BigEndian, &size) != nil {
			// The judge closed the channel.
			return nil
		}
		source := make([]byte, size)
		if _, err := io.ReadFull(requests, source); err != nil {
			return err
		}
		executable, err := compile(lib, source)
		var refusal refused
		switch {
		case err == nil:
			err = send(answers, append([]byte("O"), executable...))
		case errors.As(err, &refusal):
			err = send(answers, append([]byte("E"), refusal...))
		}
		if err != nil {
			return err
		}
	}
}

func send(answers io.Writer, content []byte) error {
	frame := binary.BigEndian.AppendUint32(make([]byte, 0, 4+len(content)), uint32(len(content)))
	_, err := answers.Write(append(frame, content...))
	return err
}

// refused is what is wrong with a source.
type refused string

func (r refused) Error() string { return string(r) }

func compileRunner(lib *library, source string) error {
	for _, path := range []string{"flag", "os", "runtime/debug", "strconv", "syscall", "testing", "testing/internal/testdeps"} {
		if err := lib.unpack(path); err != nil {
			return err
		}
	}
	if err := write(filepath.Join(lib.folder, "importcfg"), lib.config()); err != nil {
		return err
	}
	if err := os.Mkdir(filepath.Join(lib.folder, "flextune"), 0o755); err != nil {
		return err
	}
	return tool(lib.folder, "compile", "-p", runner, "-pack", "-importcfg", "importcfg", "-o", lib.file(runner), source)
}

// compile makes an executable of a source: its own package, with a file that names its tests and makes the runner
// come first, and a package main that runs them.
func compile(lib *library, source []byte) ([]byte, error) {
	hook, entry, imports, err := entryPoints(source)
	if err != nil {
		return nil, err
	}
	for _, path := range imports {
		if err := lib.unpack(path); err != nil {
			return nil, err
		}
	}
	start := "package main\n\nimport (\n\tprogram \"" + program + "\"\n\t\"" + runner + "\"\n)\n\nfunc main() { " + entry + " }\n"
	work := filepath.Join(lib.folder, "work")
	defer os.RemoveAll(work)
	for name, content := range map[string][]byte{
		sourceName:  source,
		"hook.go":   []byte(hook),
		"start.go":  []byte(start),
		"importcfg": lib.config(runner, program),
	} {
		if err := write(filepath.Join(work, name), content); err != nil {
			return nil, err
		}
	}
	compile := func(options ...string) []string {
		return append([]string{"compile", "-complete", "-pack", "-importcfg", "importcfg", "-trimpath", work}, options...)
	}
	steps := [][]string{
		append(compile("-p", program, "-o", lib.file(program)), sourceName, "hook.go"),
		append(compile("-p", "main", "-o", "start.a"), "start.go"),
		// Without the tables for debuggers, which nothing reads, linking takes half the time.
		{"link", "-s", "-w", "-importcfg", "importcfg", "-o", "program", "start.a"},
	}
	for _, step := range steps {
		if err := tool(work, step...); err != nil {
			return nil, err
		}
	}
	return os.ReadFile(filepath.Join(work, "program"))
}

// tool runs one of the toolchain's programs; what it says, if it fails, is about the source.
func tool(folder string, arguments ...string) error {
	name := filepath.Join(runtime.GOROOT(), "pkg", "tool", runtime.GOOS+"_"+runtime.GOARCH, arguments[0])
	command := exec.Command(name, arguments[1:]...)
	command.Dir = folder
	// Short runs of small programs: nothing is worth collecting before memory runs low.
	command.Env = append(os.Environ(), "GOGC=off", "GOMEMLIMIT=512MiB")
	said, err := command.CombinedOutput()
	var ended *exec.ExitError
	if !errors.As(err, &ended) {
		return err
	}
	if !ended.Exited() {
		return fmt.Errorf("%s: %w", arguments[0], err)
	}
	lines := strings.SplitAfterN(string(said), "\n", mostErrors+1)
	return refused(strings.Join(lines[:min(len(lines), mostErrors)], ""))
}

func min(a, b int) int {
	if a < b {
		return a
	}
	return b
}

// What a source wants to be run: its main function, or its tests.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// entryPoints finds how a program is run: by its tests, as the go command finds them, or by its main function.
// It returns a second file for the program's package, the call that runs the program, and what the program imports.
func entryPoints(source []byte) (hook, entry string, imports []string, err error) {
	file, err := parser.ParseFile(token.NewFileSet(), sourceName, source, parser.SkipObjectResolution)
	if err != nil {
		return "", "", nil, refused(described(err))
	}
	for _, imported := range file.Imports {
		if path, err := strconv.Unquote(imported.Path.Value); err == nil {
			imports = append(imports, path)
		}
	}
	place, mode, missing, err := expectation(source)
	if err != nil {
		return "", "", nil, err
	}
	asked := missing["main"]
	var tests []string
	hasMain := false
	for _, declaration := range file.Decls {
		if name := taken(declaration, place); name != "" {
			return "", "", nil, refused("the solution gives another meaning to " + name + ", by which the tests judge")
		}
		if function, ok := declaration.(*ast.FuncDecl); ok && function.Recv == nil {
			name := function.Name.Name
			hasMain = hasMain || name == "main"
			if int(function.Pos())-1 >= place {
				delete(missing, name)
			}
			if isTest(function, file) {
				tests = append(tests, fmt.Sprintf("{Name: %q, F: %s}", name, name))
			}
		}
	}
	for name := range missing {
		return "", "", nil, refused("the function " + name + " of the tests is part of what the solution leaves open")
	}
	// Without tests behind it, a program with a main function is run as "go run" does it.
	runMain := hasMain && file.Name.Name == "main" && (asked || mode == "")
	const head = "package %s\n\nimport _ %q\n\n"
	switch {
	case len(tests) > 0 && !runMain:
		const body = "import flextuneTesting \"testing\"\n\nvar FlextuneTests = []flextuneTesting.InternalTest{%s}\n"
		return fmt.Sprintf(head+body, file.Name.Name, runner, strings.Join(tests, ", ")),
			fmt.Sprintf("runner.Tests(program.FlextuneTests, %t)", mode == "skips"), imports, nil
	case hasMain && file.Name.Name == "main":
		const body = "func FlextuneMain() { main() }\n"
		return fmt.Sprintf(head+body, file.Name.Name, runner), "runner.Main(program.FlextuneMain)", imports, nil
	}
	return "", "", nil, refused("neither a function TestXxx(t *testing.T) nor, in package main, a function main")
}

// taken is a name of Go's own by which tests judge, if a declaration before them takes it.
func taken(declaration ast.Decl, place int) string {
	if int(declaration.Pos())-1 >= place {
		return ""
	}
	var names []*ast.Ident
	switch declared := declaration.(type) {
	case *ast.FuncDecl:
		if declared.Recv == nil {
			names = append(names, declared.Name)
		}
	case *ast.GenDecl:
		for _, spec := range declared.Specs {
			if values, ok := spec.(*ast.ValueSpec); ok {
				names = append(names, values.Names...)
			}
		}
	}
	for _, name := range names {
		switch name.Name {
		case "panic", "true", "false", "nil":
			return name.Name
		}
	}
	return ""
}

// expectation reads the last line of a source with tests: where they begin, in what mode they are run, and which
// functions they have.
func expectation(source []byte) (place int, mode string, names map[string]bool, err error) {
	names = map[string]bool{}
	fields := strings.Fields(string(source[bytes.LastIndexByte(source, '\n')+1:]))
	if len(fields) < 3 || fields[0] != "//flextune" {
		return 0, "", names, nil
	}
	for _, name := range fields[3:] {
		names[name] = true
	}
	place, err = strconv.Atoi(fields[1])
	return place, fields[2], names, err
}

func described(err error) string {
	var list scanner.ErrorList
	if !errors.As(err, &list) {
		return err.Error()
	}
	var text strings.Builder
	for _, one := range list[:min(len(list), mostErrors)] {
		fmt.Fprintln(&text, one)
	}
	return text.String()
}

// isTest tells test functions apart as "go test" does, whose own type T need not be named after its package only where
// that is imported into the file's names.
func isTest(function *ast.FuncDecl, file *ast.File) bool {
	rest := strings.TrimPrefix(function.Name.Name, "Test")
	first, _ := utf8.DecodeRuneInString(rest)
	if rest == function.Name.Name || unicode.IsLower(first) || function.Name.Name == "TestMain" {
		return false
	}
	parameters := function.Type.Params.List
	if function.Type.Results != nil || len(parameters) != 1 || len(parameters[0].Names) > 1 {
		return false
	}
	pointer, ok := parameters[0].Type.(*ast.StarExpr)
	if !ok {
		return false
	}
	switch pointed := pointer.X.(type) {
	case *ast.Ident:
		for _, imported := range file.Imports {
			if imported.Path.Value == `"testing"` && imported.Name != nil && imported.Name.Name == "." {
				return pointed.Name == "T"
			}
		}
		return false
	case *ast.SelectorExpr:
		return pointed.Sel.Name == "T"
	}
	return false
}

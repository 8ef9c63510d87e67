// Package runner tells, over descriptor 4, how far a program came.
//
// The package of the program imports it, so that it is initialized, and the secret read, before anything of the
// program runs.
package runner

import (
	"flag"
	"os"
	"runtime/debug"
	"strconv"
	"syscall"
	"testing"
	"testing/internal/testdeps"
)

const (
	secretBytes = 32
	secrets     = 3
	reports     = 4
)

var secret [secretBytes]byte

func init() {
	for have := 0; have < secretBytes; {
		got, err := syscall.Read(secrets, secret[have:])
		if err == syscall.EINTR {
			continue
		}
		if err != nil || got == 0 {
			os.Exit(127)
		}
		have += got
	}
	syscall.Close(secrets)
	syscall.CloseOnExec(reports)
	// The default, 1 GB, is more than most limits on memory: endless recursion would not be seen as such.
	if size, err := strconv.Atoi(os.Args[1]); err == nil {
		debug.SetMaxStack(size)
	}
	os.Args = os.Args[:1]
	report([]byte("SR"))
}

// Main runs a program's main function.
func Main(main func()) {
	main()
	report(secret[:])
}

// Tests runs a program's test functions, all of them whatever flags or arguments the program set; a test that is skipped
// is none unless the tests may do so.
func Tests(tests []testing.InternalTest, maySkip bool) {
	os.Args = os.Args[:1]
	flag.CommandLine = flag.NewFlagSet(os.Args[0], flag.ExitOnError)
	testing.Init()
	started := 0
	watched := make([]testing.InternalTest, len(tests))
	for number, test := range tests {
		run := test.F
		watched[number] = testing.InternalTest{Name: test.Name, F: func(t *testing.T) {
			started++
			defer func() {
				if t.Skipped() && !maySkip {
					t.Error("skipped")
				}
			}()
			run(t)
		}}
	}
	status := testing.MainStart(testdeps.TestDeps{}, watched, nil, nil, nil).Run()
	if status == 0 && started == len(tests) {
		report(secret[:])
		return
	}
	report([]byte("A"))
	os.Exit(1)
}

func report(content []byte) {
	for len(content) > 0 {
		written, err := syscall.Write(reports, content)
		if err != nil && err != syscall.EINTR {
			return
		}
		if written > 0 {
			content = content[written:]
		}
	}
}

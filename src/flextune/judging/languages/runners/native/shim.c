/*
 * Linked into every program in C++, Rust and D; tells, over descriptor 4, how far the program came.
 *
 * The secret is read before anything of the program or of its libraries runs, and written after the main function
 * returned 0. Whatever ends the process before that, static constructors included, is no pass.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { SECRET_BYTES = 32, SECRETS = 3, REPORTS = 4 };

int __real_main(int count, char **arguments, char **environment);

/* Where a language's tests are not its main function: whether their end was reached. */
extern char flextune_ended __attribute__((weak));

static char secret[SECRET_BYTES];
static pid_t owner;
static int failed;

static void report(const char *bytes, size_t count) {
    while (count > 0) {
        ssize_t written = write(REPORTS, bytes, count);
        if (written < 0 && errno != EINTR) {
            return;
        }
        if (written > 0) {
            bytes += written;
            count -= (size_t)written;
        }
    }
}

static void start(void) {
    size_t have = 0;
    while (have < SECRET_BYTES) {
        ssize_t got = read(SECRETS, secret + have, SECRET_BYTES - have);
        if (got == 0 || (got < 0 && errno != EINTR)) {
            _exit(127);
        }
        have += got > 0 ? (size_t)got : 0;
    }
    close(SECRETS);
    fcntl(REPORTS, F_SETFD, FD_CLOEXEC);
    owner = getpid();
    report("SR", 2);
}

/* Run before the initializers of shared libraries, and so before all that a program can bring. */
__attribute__((section(".preinit_array"), used)) static void (*const at_start)(void) = start;

int __wrap_main(int count, char **arguments, char **environment) {
    int status = __real_main(count, arguments, environment);
    /* A child that comes back from main speaks for itself alone; only eight bits of a status reach anybody. */
    int ended = !&flextune_ended || flextune_ended;
    if ((status & 0xff) == 0 && ended && !failed && getpid() == owner) {
        report(secret, SECRET_BYTES);
    }
    return status;
}

/* What assert() calls, in place of the C library's: it says the same, and tells us too. */
__attribute__((noreturn)) void __assert_fail(
        const char *expression, const char *file, unsigned line, const char *function) {
    failed = 1;
    report("A", 1);
    fprintf(stderr, "%s:%u: %s: Assertion `%s' failed.\n", file, line, function ? function : "?", expression);
    abort();
}

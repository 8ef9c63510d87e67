/*
 * Linked into every program in C++, Rust and D; tells, over descriptor 4, how far the program came.
 *
 * The secret is read before anything of the program or of its libraries runs, and written after the main function
 * returned 0. Whatever ends the process before that, static constructors included, is no pass.
 *
 * A right program may have a variable that is called read, or a function write. So nothing here is called by a
 * name that it could have: what the kernel does is asked of the kernel.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/syscall.h>

enum { SECRET_BYTES = 32, SECRETS = 3, REPORTS = 4, STANDARD_ERROR = 2, TEXT_BYTES = 4096 };

int __real_main(int count, char **arguments, char **environment);

/* Where a language's tests are not its main function: whether their end was reached. */
extern char flextune_ended __attribute__((weak));

static char secret[SECRET_BYTES];
static long owner;
static int failed, reports = REPORTS;

static long ask(long number, long first, long second, long third, long fourth) {
#if defined(__x86_64__)
    register long r10 __asm__("r10") = fourth;
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(first), "S"(second), "d"(third), "r"(r10)
                     : "rcx", "r11", "memory");
    return result;
#elif defined(__aarch64__)
    register long x8 __asm__("x8") = number;
    register long x0 __asm__("x0") = first;
    register long x1 __asm__("x1") = second;
    register long x2 __asm__("x2") = third;
    register long x3 __asm__("x3") = fourth;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3) : "memory");
    return x0;
#else
#error "the judge's shim knows the system calls of x86-64 and arm64"
#endif
}

static void say(int target, const char *bytes, size_t count) {
    while (count > 0) {
        long written = ask(SYS_write, target, (long)bytes, (long)count, 0);
        if (written > 0) {
            bytes += written;
            count -= (size_t)written;
        } else if (written != -4 /* EINTR */) {
            return;
        }
    }
}

/* A copy of the descriptor for reports, above all that the program can have: it may close all of its own. */
static void keep_reports(void) {
    struct rlimit64 { unsigned long soft, hard; } limit, more;
    if (ask(SYS_prlimit64, 0, RLIMIT_NOFILE, 0, (long)&limit) < 0 || limit.hard <= limit.soft) {
        return;
    }
    more.soft = more.hard = limit.hard;
    ask(SYS_prlimit64, 0, RLIMIT_NOFILE, (long)&more, 0);
    long copy = ask(SYS_fcntl, REPORTS, F_DUPFD_CLOEXEC, (long)limit.soft, 0);
    ask(SYS_prlimit64, 0, RLIMIT_NOFILE, (long)&limit, 0);
    if (copy >= 0) {
        reports = (int)copy;
    }
}

static void start(void) {
    size_t have = 0;
    while (have < SECRET_BYTES) {
        long got = ask(SYS_read, SECRETS, (long)(secret + have), (long)(SECRET_BYTES - have), 0);
        if (got > 0) {
            have += (size_t)got;
        } else if (got != -4 /* EINTR */) {
            ask(SYS_exit_group, 127, 0, 0, 0);
        }
    }
    ask(SYS_close, SECRETS, 0, 0, 0);
    ask(SYS_fcntl, REPORTS, F_SETFD, FD_CLOEXEC, 0);
    keep_reports();
    owner = ask(SYS_getpid, 0, 0, 0, 0);
    say(reports, "SR", 2);
}

/* Run before the initializers of shared libraries, and so before all that a program can bring. */
__attribute__((section(".preinit_array"), used)) static void (*const at_start)(void) = start;

int __wrap_main(int count, char **arguments, char **environment) {
    int status = __real_main(count, arguments, environment);
    /* A child that comes back from main speaks for itself alone; only eight bits of a status reach anybody. */
    int ended = !&flextune_ended || flextune_ended;
    if ((status & 0xff) == 0 && ended && !failed && ask(SYS_getpid, 0, 0, 0, 0) == owner) {
        say(reports, secret, SECRET_BYTES);
    }
    return status;
}

static size_t add_text(char *text, size_t have, const char *more) {
    while (more != NULL && *more != 0 && have < TEXT_BYTES - 1) {
        text[have++] = *more++;
    }
    return have;
}

static size_t add_number(char *text, size_t have, unsigned number) {
    char digits[12];
    size_t first = sizeof digits - 1;
    digits[first] = 0;
    do {
        digits[--first] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    return add_text(text, have, digits + first);
}

/* As abort() does it: a handler is called, but cannot prevent the end. */
__attribute__((noreturn)) static void end_by_abort(void) {
    struct { void (*handler)(int); unsigned long flags; void (*restorer)(void); unsigned long mask; } action = {0};
    unsigned long abort_signal = 1ul << (SIGABRT - 1);
    for (int round = 0; round < 2; round++) {
        ask(SYS_rt_sigprocmask, SIG_UNBLOCK, (long)&abort_signal, 0, sizeof abort_signal);
        ask(SYS_tgkill, ask(SYS_getpid, 0, 0, 0, 0), ask(SYS_gettid, 0, 0, 0, 0), SIGABRT, 0);
        ask(SYS_rt_sigaction, SIGABRT, (long)&action, 0, sizeof abort_signal);
    }
    for (;;) {
        ask(SYS_exit_group, 127, 0, 0, 0);
    }
}

/* What assert() calls, in place of the C library's: it says the same, and tells us too. */
__attribute__((noreturn)) void __assert_fail(
        const char *expression, const char *file, unsigned line, const char *function) {
    char text[TEXT_BYTES];
    size_t have = add_text(text, 0, file);
    failed = 1;
    say(reports, "A", 1);
    have = add_text(text, have, ":");
    have = add_number(text, have, line);
    have = add_text(text, have, ": ");
    have = add_text(text, have, function != NULL ? function : "?");
    have = add_text(text, have, ": Assertion `");
    have = add_text(text, have, expression);
    have = add_text(text, have, "' failed.\n");
    say(STANDARD_ERROR, text, have);
    end_by_abort();
}

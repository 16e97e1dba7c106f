/*
 * Runs QEMU's main() once for each case. QEMU is loaded and linked once; for each line of standard input a child runs
 * main(), and exits when the machine is complete and QEMU would start to wait for events.
 *
 * A case:     HOST <tab> CPU <tab> SMP <tab> MACHINE { <tab> MORE }
 *             the values of -cpu, -smp and -machine, then more arguments; an empty field omits the option. Without
 *             `-accel` among them, `-accel kvm` is added.
 *             `qmp COMMAND` as the last of MORE sends that command to QEMU's monitor instead of exiting early.
 * A result:   the lines of kvm.c, `stderr TEXT`, `qmp TEXT`, and last `exit STATUS`: 0, QEMU's own status, or 128 plus
 *             the signal's number.
 *
 * Environment: SHIM_HOSTS, a directory; SHIM_SITES, see cpuid.c; SHIM_SECONDS, the time limit of a case;
 *              SHIM_MSRS, see kvm.c.
 */
#define _GNU_SOURCE
#include "shim.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX_LINE = 1 << 16, MAX_ARGUMENTS = 128, USUAL_SECONDS = 60 };

typedef int main_function(int, char **, char **);
static main_function *qemu_main;
static pid_t child;       /* in the server: the running child */
static bool ends_at_loop; /* in a child */

void die(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("shim: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    _exit(97);
}

/* --- A child ----------------------------------------------------------------------------------------------------- */

/* When the main thread waits for the first time, all vCPUs have their tables. */
static void maybe_end(bool waits)
{
    if (!ends_at_loop || !waits || gettid() != getpid() || !recorded_any())
        return;
    end_record();
    _exit(0);
}

int ppoll(struct pollfd *fds, nfds_t count, const struct timespec *timeout, const sigset_t *signals)
{
    static int (*next)(struct pollfd *, nfds_t, const struct timespec *, const sigset_t *);
    maybe_end(!timeout || timeout->tv_sec || timeout->tv_nsec);
    if (!next)
        next = (int (*)(struct pollfd *, nfds_t, const struct timespec *, const sigset_t *))dlsym(RTLD_NEXT, "ppoll");
    return next(fds, count, timeout, signals);
}

/* Standard input for the monitor: the commands, in a pipe that holds all of them. */
static void ask(const char *command)
{
    int ends[2];
    if (pipe(ends) || dup2(ends[0], STDIN_FILENO) < 0)
        die("pipe: %s", strerror(errno));
    dprintf(ends[1], "{\"execute\":\"qmp_capabilities\"}\n{\"execute\":\"%s\"}\n{\"execute\":\"quit\"}\n", command);
    close(ends[1]);
}

static int add(char **arguments, int count, const char *option, char *value)
{
    if (!*value)
        return count;
    arguments[count] = (char *)option;
    arguments[count + 1] = value;
    return count + 2;
}

/* Does not return. `line` is a case. */
static void run(char *line, char **base, int base_count, char **environment)
{
    static char *arguments[MAX_ARGUMENTS];
    static char *options[] = {"-nodefaults", "-no-user-config", "-m",  "64",     "-display", "none",
                              "-S",          "-serial",         "none"};
    static const char *names[] = {NULL, "-cpu", "-smp", "-machine"};
    const char *dir = getenv("SHIM_HOSTS");
    int count = base_count, field = 0;
    char *question = NULL;
    bool accelerated = false;
    memcpy(arguments, base, (size_t)base_count * sizeof *base);
    arguments[0] = "qemu-system-x86_64"; /* the prefix of QEMU's messages */
    memcpy(arguments + count, options, sizeof options);
    count += sizeof options / sizeof *options;
    for (char *value; (value = strsep(&line, "\t")); field++) {
        if (field == 0)
            load_host(dir ? dir : ".", value);
        else if (field < 4)
            count = add(arguments, count, names[field], value);
        else if (!strncmp(value, "qmp ", 4))
            question = value + 4;
        else if (count < MAX_ARGUMENTS - 6) {
            accelerated |= !strcmp(value, "-accel");
            arguments[count++] = value;
        }
    }
    if (!accelerated)
        count = add(arguments, count, "-accel", "kvm");
    if (question) {
        ask(question);
        arguments[count++] = "-qmp";
        arguments[count++] = "stdio";
    }
    ends_at_loop = !question;
    replace_cpuid(getenv("SHIM_SITES"));
    exit(qemu_main(count, arguments, environment));
}

/* --- The server -------------------------------------------------------------------------------------------------- */

static void on_alarm(int signal_number)
{
    (void)signal_number;
    kill(child, SIGKILL);
}

static void send(const char *text, size_t length)
{
    while (length) {
        ssize_t written = write(STDOUT_FILENO, text, length);
        if (written < 0 && errno != EINTR)
            die("cannot write: %s", strerror(errno));
        if (written > 0) {
            text += written;
            length -= (size_t)written;
        }
    }
}

/* The file's text, each line after `word`. */
static void send_file(int fd, const char *word)
{
    off_t length = lseek(fd, 0, SEEK_END);
    char *text = length > 0 ? mmap(NULL, (size_t)length, PROT_READ, MAP_PRIVATE, fd, 0) : NULL;
    if (length <= 0)
        return;
    if (text == MAP_FAILED)
        die("mmap: %s", strerror(errno));
    if (!*word) {
        send(text, (size_t)length);
    } else {
        for (const char *at = text, *end = text + length; at < end;) {
            const char *stop = memchr(at, '\n', (size_t)(end - at));
            stop = stop ? stop : end;
            send(word, strlen(word));
            send(at, (size_t)(stop - at));
            send("\n", 1);
            at = stop + 1;
        }
    }
    munmap(text, (size_t)length);
}

static int wait_for(pid_t pid, unsigned seconds)
{
    int status = 0;
    child = pid;
    alarm(seconds);
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            die("waitpid: %s", strerror(errno));
    alarm(0);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static void serve(char *line, int argc, char **argv, char **environment, unsigned seconds)
{
    int record = memfd_create("record", MFD_CLOEXEC), error = memfd_create("stderr", MFD_CLOEXEC);
    int output = memfd_create("stdout", MFD_CLOEXEC), null;
    char last[32];
    if (record < 0 || error < 0 || output < 0)
        die("memfd_create: %s", strerror(errno));
    pid_t pid = fork();
    if (pid < 0)
        die("fork: %s", strerror(errno));
    if (pid == 0) {
        null = open("/dev/null", O_RDWR);
        dup2(null, STDIN_FILENO);
        dup2(output, STDOUT_FILENO);
        dup2(error, STDERR_FILENO);
        record_to(record);
        run(line, argv, argc, environment);
    }
    int status = wait_for(pid, seconds);
    send_file(record, "");
    send_file(error, "stderr ");
    send_file(output, "qmp ");
    send(last, (size_t)snprintf(last, sizeof last, "exit %d\n", status));
    close(record);
    close(error);
    close(output);
}

/* The next line without its newline; false at the end of standard input. Without stdio, because a child's exit would move the
 * file position. */
static bool next_line(char *line)
{
    static char buffer[MAX_LINE];
    static size_t filled;
    char *end;
    while (!(end = memchr(buffer, '\n', filled))) {
        ssize_t got = filled < MAX_LINE ? read(STDIN_FILENO, buffer + filled, MAX_LINE - filled) : -1;
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            die("a case's line is too long, or cannot be read");
        if (got == 0 && filled)
            die("the last line has no end");
        if (got == 0)
            return false;
        filled += (size_t)got;
    }
    *end = 0;
    size_t length = (size_t)(end - buffer) + 1;
    memcpy(line, buffer, length);
    filled -= length;
    memmove(buffer, buffer + length, filled);
    return true;
}

static int server_main(int argc, char **argv, char **environment)
{
    static char line[MAX_LINE];
    const char *limit = getenv("SHIM_SECONDS");
    struct sigaction action = {.sa_handler = on_alarm};
    unsigned seconds = limit ? (unsigned)atoi(limit) : USUAL_SECONDS;
    sigaction(SIGALRM, &action, NULL);
    unsetenv("LD_PRELOAD");
    while (next_line(line))
        serve(line, argc, argv, environment, seconds);
    return 0;
}

/* The C library calls this to start every program: QEMU's main() is saved for later. */
int __libc_start_main(main_function *main, int argc, char **argv, void (*init)(void), void (*fini)(void),
                      void (*end)(void), void *stack)
{
    typedef int start(main_function *, int, char **, void (*)(void), void (*)(void), void (*)(void), void *);
    start *next = (start *)dlsym(RTLD_NEXT, "__libc_start_main");
    qemu_main = main;
    return next(server_main, argc, argv, init, fini, end, stack);
}

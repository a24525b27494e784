/*
 * Lets system calls of process 1 fail, each once, while it hands over to the real init.
 *
 * Started by the kernel (rdinit=/fault) it forks a keeper, lets seccomp_unotify(2) tell that one of the calls below,
 * and executes /init. /faults has a line `TIMES ERRNO TEXT` for each hand-over that is tried: in it the call whose
 * description begins with TEXT fails when it comes for the TIMES-th time. With `record` as first line every call of
 * the first hand-over is told. When the lines are used up, nothing fails.
 *
 * The keeper's argv[0] begins with '@', so that it is spared. As a hook (cleanup) the program tells the keeper that a
 * hand-over begins; as /bin/sh, the rescue shell, it ends at once. Both tell what is left of the early userspace.
 */

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <dirent.h>
#include <unistd.h>

/* Arguments: s string, f descriptor, d number, x hexadecimal, p whether there is a pointer, . left out. */
static const struct shape { int number; const char *name, *arguments; } shapes[] = {
    { SYS_chdir, "chdir", "s" },           { SYS_chroot, "chroot", "s" },
    { SYS_close, "close", "f" },           { SYS_close_range, "close_range", "ddx" },
    { SYS_dup3, "dup3", "fdx" },           { SYS_execve, "execve", "s" },
    { SYS_faccessat, "faccessat", "fsd" }, { SYS_getdents64, "getdents64", "f" },
    { SYS_kill, "kill", "dd" },            { SYS_mount, "mount", "ss.x" },
    { SYS_openat, "openat", "fsx" },       { SYS_pivot_root, "pivot_root", "ss" },
    { SYS_pread64, "pread64", "f" },       { SYS_prlimit64, "prlimit64", "ddp" },
    { SYS_read, "read", "f" },             { SYS_readlinkat, "readlinkat", "fs" },
    { SYS_rt_sigaction, "rt_sigaction", "dp" }, { SYS_rt_sigprocmask, "rt_sigprocmask", "dp" },
    { SYS_statfs, "statfs", "s" },         { SYS_statx, "statx", "fsx" },
    { SYS_umount2, "umount2", "sx" },      { SYS_unlinkat, "unlinkat", "fsx" },
    { SYS_waitid, "waitid", "dd.x" },
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

static struct fault { int times, number; char text[256]; } faults[4096];
static int fault_count, recording;
static int kmsg = -1;

static void say(const char *format, ...)
{
    char line[900];
    int length = sprintf(line, "<6>fault: ");
    va_list list;

    va_start(list, format);
    length += vsnprintf(line + length, sizeof line - length - 2, format, list);
    va_end(list);
    if (length > (int)sizeof line - 3)
        length = sizeof line - 3;
    line[length++] = '\n';
    if (kmsg < 0)
        kmsg = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
    if (write(kmsg, line, length) < 0)
        return;
}

/* ---- what is left of the early userspace ---- */

static long names, bytes;

static int count(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)path, (void)kind, (void)at;
    names++;
    bytes += S_ISREG(st->st_mode) ? st->st_size : 0;
    return 0;
}

static void tell_state(void)
{
    static const char *const folders[] = { "/dev", "/proc", "/run", "/sys", "/sysroot" };
    char mounted[64] = "";
    struct stat root, st;

    stat("/", &root);
    for (unsigned i = 0; i < sizeof folders / sizeof *folders; i++)
        if (stat(folders[i], &st) == 0 && st.st_dev != root.st_dev)
            strcat(strcat(mounted, " "), folders[i]);
    nftw("/", count, 32, FTW_PHYS | FTW_MOUNT);
    say("early userspace: %ld names, %ld bytes, mounted%s", names, bytes, mounted);
}

static void wake_keeper(void)
{
    DIR *proc = opendir("/proc");

    for (struct dirent *entry; proc != NULL && (entry = readdir(proc)) != NULL;) {
        char path[300], words[16] = "";
        int fd;

        snprintf(path, sizeof path, "/proc/%s/cmdline", entry->d_name);
        if (atoi(entry->d_name) > 1 && (fd = open(path, O_RDONLY)) >= 0) {
            if (read(fd, words, sizeof words - 1) > 0 && strcmp(words, "@fault") == 0)
                kill(atoi(entry->d_name), SIGUSR1);
            close(fd);
        }
    }
}

/* ---- the keeper ---- */

static volatile sig_atomic_t begun;

static void on_signal(int number)
{
    (void)number;
    begun++;
}

static void read_faults(void)
{
    FILE *file = fopen("/faults", "re");
    char line[400];

    while (file != NULL && fgets(line, sizeof line, file) != NULL && fault_count < 4096) {
        struct fault *fault = &faults[fault_count];

        recording |= strcmp(line, "record\n") == 0;
        fault_count += sscanf(line, "%d %d %255[^\n]", &fault->times, &fault->number, fault->text) == 3;
    }
    if (file != NULL)
        fclose(file);
}

/* /proc of the early userspace moves away; a descriptor of it stays. */
static int proc_folder(void)
{
    static int folder = -1;

    if (folder < 0)
        folder = open("/proc/1", O_PATH | O_CLOEXEC);
    return folder;
}

static void read_string(unsigned long address, char *to, size_t size)
{
    int memory = openat(proc_folder(), "mem", O_RDONLY | O_CLOEXEC);
    size_t to_page_end = 4096 - address % 4096;

    memset(to, 0, size);
    /* The next page may be missing. */
    if (pread(memory, to, size - 1, address) < 0 &&
        pread(memory, to, to_page_end < size ? to_page_end : size - 1, address) < 0)
        strcpy(to, "?");
    close(memory);
}

static void name_descriptor(int number, char *to, size_t size)
{
    char link[32];

    memset(to, 0, size);
    snprintf(link, sizeof link, "fd/%d", number);
    if (number == AT_FDCWD)
        strcpy(to, "cwd");
    else if (readlinkat(proc_folder(), link, to, size - 1) < 0)
        snprintf(to, size, "%d", number);
}

static void describe(const struct seccomp_data *call, char *text)
{
    const struct shape *shape = shapes;
    const char *separator = "";

    while (shape->number != call->nr)
        shape++;
    text += sprintf(text, "%s(", shape->name);
    for (int i = 0; shape->arguments[i] != 0; i++) {
        unsigned long value = call->args[i];
        char string[200];

        if (shape->arguments[i] == '.')
            continue;
        text += sprintf(text, "%s", separator);
        separator = ", ";
        switch (shape->arguments[i]) {
        case 's':
            read_string(value, string, sizeof string);
            text += sprintf(text, "\"%s\"", string);
            break;
        case 'f':
            name_descriptor((int)value, string, sizeof string);
            text += sprintf(text, "%s", string);
            break;
        case 'd': text += sprintf(text, "%d", (int)value); break;
        case 'x': text += sprintf(text, "%x", (unsigned)value); break;
        case 'p': text += sprintf(text, "%s", value ? "set" : "get");
        }
    }
    strcpy(text, ")");
}

static int listener_of_init(int from)
{
    int number = -1, init = syscall(SYS_pidfd_open, 1, 0);

    if (read(from, &number, sizeof number) != sizeof number)
        _exit(1);
    return syscall(SYS_pidfd_getfd, init, number, 0);
}

static void keep(int listener)
{
    int tried = 0, seen = 0, armed = 0;

    for (;;) {
        struct seccomp_notif call;
        struct seccomp_notif_resp answer = { .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE };
        char text[1000];

        memset(&call, 0, sizeof call);
        if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &call) < 0) {
            if (errno != EINTR && errno != ENOENT)
                say("the listener fails: %s", strerrorname_np(errno));
            continue;
        }
        if (begun > tried) {
            tried = begun;
            seen = 0;
            armed = 1;
            say("hand-over %d begins", tried);
        }
        if (armed && call.pid == 1 && (recording || tried <= fault_count)) {
            const struct fault *fault = &faults[tried - 1];

            describe(&call.data, text);
            if (recording)
                say("call %s", text);
            if (tried <= fault_count && strncmp(text, fault->text, strlen(fault->text)) == 0 &&
                ++seen == fault->times) {
                armed = recording;
                say("%s fails with %s", text, strerrorname_np(fault->number));
                answer.flags = 0;
                answer.error = -fault->number;
            }
        }
        answer.id = call.id;
        ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
    }
}

/* ---- process 1, before rdinit ---- */

static int install_filter(void)
{
    struct sock_filter filter[SHAPES + 3] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
    };
    struct sock_fprog program = { SHAPES + 3, filter };

    for (int i = 0; i < SHAPES; i++)
        filter[1 + i] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, shapes[i].number, SHAPES - i, 0);
    filter[SHAPES + 1] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    filter[SHAPES + 2] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF);
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
                   SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, &program);
}

static int start(char **argv, char **envp)
{
    int to_keeper[2], listener;

    if (pipe(to_keeper) < 0)
        return 1;
    if (fork() == 0) {
        struct sigaction action = { .sa_handler = on_signal };

        sigaction(SIGUSR1, &action, NULL);
        signal(SIGTERM, SIG_IGN);
        read_faults();
        argv[0][0] = '@';
        keep(listener_of_init(to_keeper[0]));
    }
    listener = install_filter();
    if (write(to_keeper[1], &listener, sizeof listener) < 0)
        return 1;
    /* These two wait for the keeper, which has the listener then; it is closed by the exec. */
    close(to_keeper[0]);
    close(to_keeper[1]);
    argv[0] = "/init";
    return execve("/init", argv, envp);
}

int main(int argc, char **argv, char **envp)
{
    (void)argc;
    if (getpid() == 1)
        return start(argv, envp);
    if (strstr(argv[0], "/sh") == NULL)
        wake_keeper();
    tell_state();
    return 0;
}

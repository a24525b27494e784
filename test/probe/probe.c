/*
 * The probe: a real init that tells all it can see, and then powers the machine off.
 *
 * It is started once by the kernel itself and once through rdinit; the two listings differ in nothing
 * but what the hand-over allows. Static, so that it needs nothing of the root it stands on. Between the
 * lines PROBE BEGIN and PROBE END N it prints N lines `key=value` in an order that is always the same;
 * bytes outside printable ASCII are \xNN. With the argument `stay` it waits instead of powering off.
 *
 * What it measures comes before what it does: descriptors before it opens one, memory before it uses
 * any, mounts before it mounts. As another process than 1 it mounts nothing and just ends.
 */

#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <termios.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CONSOLE_OFF = 6 }; /* syslog(2), SYSLOG_ACTION_CONSOLE_OFF */

static int is_mounted(const char *path)
{
    struct stat st, above;

    return stat(path, &st) == 0 && stat("/", &above) == 0 && st.st_dev != above.st_dev;
}

/* Mounts `type` on `path` when nothing is there; 1 when it did. */
static int mount_missing(const char *path, const char *type)
{
    if (is_mounted(path) || getpid() != 1)
        return 0;
    mkdir(path, 0755);
    if (mount(type, path, type, 0, NULL) == 0)
        return 1;
    emit(keyf("probe.mount.%s", type), "%s", outcome(-1));
    return 0;
}

/* A user namespace can't be made below a chroot. Tried in a child, for it can't be undone. */
static void probe_user_namespace(void)
{
    int status = 0;
    pid_t child = fork();

    if (child == 0)
        _exit(unshare(CLONE_NEWUSER) == 0 ? 0 : errno);
    waitpid(child, &status, 0);
    errno = WEXITSTATUS(status);
    emit("userns", "%s", outcome(errno ? -1 : 0));
}

static int open_console(void)
{
    static const char *const consoles[] = { "/dev/console", "/dev/ttyS0" };
    int fd = -1;

    for (unsigned i = 0; i < sizeof consoles / sizeof *consoles && fd < 0; i++)
        fd = open(consoles[i], O_WRONLY | O_NOCTTY | O_CLOEXEC);
    return fd;
}

/*
 * Where the listing goes: standard output if it is a terminal or this is not process 1; else the console,
 * for which an initramfs inside the kernel may have no node.
 */
static int output(void)
{
    int fd;

    if (isatty(1) || (getpid() != 1 && fcntl(1, F_GETFD) >= 0))
        return 1;
    fd = open_console();
    if (fd < 0 && mount_missing("/dev", "devtmpfs"))
        fd = open_console();
    return fd < 0 ? 1 : fd;
}

static int has_word(char **argv, const char *word)
{
    for (; *argv; argv++)
        if (strcmp(*argv, word) == 0)
            return 1;
    return 0;
}

int main(int argc, char **argv, char **envp)
{
    static const char *const folders[] = { "dev", "proc", "run", "sys", "tmp" };
    struct timespec entry;
    struct sysinfo memory;
    int own_proc, fd;

    (void)argc;
    clock_gettime(CLOCK_BOOTTIME, &entry);
    sysinfo(&memory);
    emit("boottime", "%ld.%09ld", (long)entry.tv_sec, entry.tv_nsec);
    emit("sysinfo.free", "%lu", memory.freeram / 1024 * memory.mem_unit);
    probe_descriptors();
    probe_terminal();
    probe_task(argv, envp);
    for (unsigned i = 0; i < sizeof folders / sizeof *folders; i++)
        emit(keyf("mounted.%s", folders[i]), "%s", is_mounted(keyf("/%s", folders[i])) ? "yes" : "no");
    own_proc = mount_missing("/proc", "proc");
    probe_memory();
    probe_mounts(own_proc);
    probe_listing("/");
    probe_listing("/run");
    probe_listing("/dev");
    mount_missing("/sys", "sysfs");
    probe_status();
    probe_processes();
    probe_kernel();
    probe_network();
    probe_sysctl();
    probe_user_namespace();

    fd = output();
    if (getpid() != 1) {
        flush_to(fd);
        return 0;
    }
    /* The kernel's own messages would come between. */
    klogctl(CONSOLE_OFF, NULL, 0);
    flush_to(fd);
    /* The last word of the kernel is not held back, and does not wait for what the terminal still has. */
    tcdrain(fd);
    while (has_word(argv, "stay"))
        pause();
    sync();
    reboot(RB_POWER_OFF);
    return 1;
}

/* Process 1 as system calls show it. Nothing here opens a file or needs /proc. */

#include "probe.h"

#include <asm/ioctls.h>
#include <asm/termbits.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <linux/kd.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <unistd.h>

#define DESCRIPTORS 4096

int ioctl(int, unsigned long, ...);

/* Same open file description? kcmp(2) says; without it, whether a flag of one shows at the other. */
static int same_file(int a, int b)
{
    pid_t self = getpid();
    long answer = syscall(SYS_kcmp, self, self, KCMP_FILE, a, b);
    int before, seen;

    if (answer >= 0)
        return answer == 0;
    if (errno == EBADF || (before = fcntl(a, F_GETFL)) < 0)
        return 0;
    seen = fcntl(b, F_GETFL);
    fcntl(a, F_SETFL, before ^ O_NONBLOCK);
    seen = seen >= 0 && ((seen ^ fcntl(b, F_GETFL)) & O_NONBLOCK) != 0;
    fcntl(a, F_SETFL, before);
    return seen;
}

void probe_descriptors(void)
{
    int count = 0;

    for (int fd = 0; fd < DESCRIPTORS; fd++) {
        int flags = fcntl(fd, F_GETFD);
        struct stat st;

        if (flags < 0)
            continue;
        count++;
        emit(keyf("fd.%d.fdflags", fd), "%d", flags);
        emit(keyf("fd.%d.flags", fd), "%o", fcntl(fd, F_GETFL));
        if (fstat(fd, &st) < 0)
            continue;
        emit(keyf("fd.%d.mode", fd), "%o", st.st_mode);
        emit(keyf("fd.%d.rdev", fd), "%u:%u", major(st.st_rdev), minor(st.st_rdev));
        emit(keyf("fd.%d.node", fd), "%u:%u ino %lu", major(st.st_dev), minor(st.st_dev), st.st_ino);
    }
    emit("fd.count", "%d", count);
    for (int fd = 0; fd < 3; fd++)
        emit(keyf("fd.shared.%d-%d", fd, (fd + 1) % 3), "%s", same_file(fd, (fd + 1) % 3) ? "yes" : "no");
}

static void probe_strings(const char *name, char **strings)
{
    int i = 0;

    for (; strings[i]; i++)
        emit_bytes(keyf("%s.%d", name, i), strings[i], strlen(strings[i]));
    emit(keyf("%s.count", name), "%d", i);
}

/* By rt_sigaction(2) itself: glibc hides signals 32 and 33. */
static const char *disposition(int number)
{
    struct { unsigned long handler, flags, restorer, mask; } action = { 0 };
    long result = syscall(SYS_rt_sigaction, number, NULL, &action, 8);

    if (result < 0)
        return outcome(result);
    return action.handler == 0 ? "default" : action.handler == 1 ? "ignored" : "handled";
}

static void probe_signals(void)
{
    unsigned long set = 0;

    for (int number = 1; number <= 64; number++)
        emit(keyf("signal.%d", number), "%s", disposition(number));
    syscall(SYS_rt_sigprocmask, 0, NULL, &set, 8);
    emit("signals.blocked", "%016lx", set);
    set = 0;
    syscall(SYS_rt_sigpending, &set, 8);
    emit("signals.pending", "%016lx", set);
}

static void probe_limits(void)
{
    static const char *const names[] = {
        "cpu", "fsize", "data", "stack", "core", "rss", "nproc", "nofile",
        "memlock", "as", "locks", "sigpending", "msgqueue", "nice", "rtprio", "rttime",
    };

    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        unsigned long limit[2] = { 0, 0 };
        long result = syscall(SYS_prlimit64, 0, i, NULL, limit);
        if (result < 0)
            emit(keyf("rlimit.%s", names[i]), "%s", outcome(result));
        else
            emit(keyf("rlimit.%s", names[i]), "%ld %ld", (long)limit[0], (long)limit[1]);
    }
}

static void probe_scheduling(void)
{
    unsigned int attributes[14] = { 0 };
    unsigned long affinity[16] = { 0 };
    int mempolicy = -1;
    long result;

    emit("sched.nice", "%ld", 20 - syscall(SYS_getpriority, PRIO_PROCESS, 0));
    emit("sched.policy", "%ld", syscall(SYS_sched_getscheduler, 0));
    result = syscall(SYS_sched_getattr, 0, attributes, sizeof attributes, 0);
    if (result < 0)
        emit("sched.attributes", "%s", outcome(result));
    else
        emit("sched.attributes", "policy %u flags %x%08x nice %d priority %u", attributes[1], attributes[3],
             attributes[2], (int)attributes[4], attributes[5]);
    result = syscall(SYS_sched_getaffinity, 0, sizeof affinity, affinity);
    emit("sched.affinity", "%lx (%s)", affinity[0], outcome(result));
    emit("sched.ioprio", "%lx", syscall(SYS_ioprio_get, 1, 0));
    result = syscall(SYS_get_mempolicy, &mempolicy, NULL, 0, NULL, 0);
    emit("sched.mempolicy", "%d (%s)", mempolicy, outcome(result));
}

static void probe_prctl(void)
{
    static const struct { const char *name; int option; int by_pointer; } options[] = {
        { "pdeathsig", PR_GET_PDEATHSIG, 1 },   { "dumpable", PR_GET_DUMPABLE, 0 },
        { "keepcaps", PR_GET_KEEPCAPS, 0 },     { "seccomp", PR_GET_SECCOMP, 0 },
        { "tsc", PR_GET_TSC, 1 },               { "securebits", PR_GET_SECUREBITS, 0 },
        { "timerslack", PR_GET_TIMERSLACK, 0 }, { "mce_kill", PR_MCE_KILL_GET, 0 },
        { "subreaper", PR_GET_CHILD_SUBREAPER, 1 }, { "no_new_privs", PR_GET_NO_NEW_PRIVS, 0 },
        { "thp_disable", PR_GET_THP_DISABLE, 0 }, { "io_flusher", PR_GET_IO_FLUSHER, 0 },
    };

    for (unsigned i = 0; i < sizeof options / sizeof *options; i++) {
        int value = 0;
        long result = syscall(SYS_prctl, options[i].option, options[i].by_pointer ? &value : NULL, 0, 0, 0);
        if (result < 0)
            emit(keyf("prctl.%s", options[i].name), "%s", outcome(result));
        else
            emit(keyf("prctl.%s", options[i].name), "%ld", options[i].by_pointer ? value : result);
    }
    emit("personality", "%lx", syscall(SYS_personality, 0xffffffff));
}

static void probe_place(void)
{
    struct stat st;
    mode_t mask = umask(0);

    umask(mask);
    emit("umask", "%03o", mask);
    if (stat(".", &st) == 0)
        emit("cwd.node", "%u:%u ino %lu", major(st.st_dev), minor(st.st_dev), st.st_ino);
    if (stat("/", &st) == 0)
        emit("root.node", "%u:%u ino %lu", major(st.st_dev), minor(st.st_dev), st.st_ino);
}

void probe_task(char **argv, char **envp)
{
    static const char *const timers[] = { "real", "virtual", "prof" };

    emit("pid", "%d", getpid());
    emit("ppid", "%d", getppid());
    emit("pgid", "%d", getpgid(0));
    emit("sid", "%d", getsid(0));
    emit("uid", "%d %d", getuid(), geteuid());
    emit("gid", "%d %d", getgid(), getegid());
    emit("groups.count", "%d", getgroups(0, NULL));
    emit("execfn", "%s", (const char *)getauxval(AT_EXECFN));
    probe_strings("argv", argv);
    probe_strings("environ", envp);
    probe_signals();
    probe_limits();
    probe_scheduling();
    probe_prctl();
    probe_place();
    for (int which = 0; which < 3; which++) {
        struct itimerval timer = { 0 };
        getitimer(which, &timer);
        emit(keyf("itimer.%s", timers[which]), "%ld.%06ld", timer.it_value.tv_sec, timer.it_value.tv_usec);
    }
}

void probe_terminal(void)
{
    struct termios2 tio;
    struct { unsigned short rows, columns, x, y; } size = { 0, 0, 0, 0 };
    char cc[2 * sizeof tio.c_cc + 1] = "";
    int value = -1;

    if (ioctl(0, TCGETS2, &tio) < 0) {
        emit("tty", "none: %s", outcome(-1));
        return;
    }
    emit("tty.iflag", "%o", tio.c_iflag);
    emit("tty.oflag", "%o", tio.c_oflag);
    emit("tty.cflag", "%o", tio.c_cflag);
    emit("tty.lflag", "%o", tio.c_lflag);
    emit("tty.line", "%d", tio.c_line);
    emit("tty.speed", "%u %u", tio.c_ispeed, tio.c_ospeed);
    for (unsigned i = 0; i < sizeof tio.c_cc; i++)
        sprintf(cc + 2 * i, "%02x", tio.c_cc[i]);
    emit("tty.cc", "%s", cc);
    ioctl(0, TIOCGWINSZ, &size);
    emit("tty.size", "%ux%u", size.columns, size.rows);
    emit("tty.session", "%s", outcome(ioctl(0, TIOCGSID, &value)));
    if (ioctl(0, KDGKBMODE, &value) == 0)
        emit("tty.keyboard", "%d", value);
}

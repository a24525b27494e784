/* What /proc tells of process 1, of the others, and of the machine. */

#include "probe.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statfs.h>
#include <unistd.h>

#define PF_KTHREAD 0x00200000

static char text[1 << 20];

static void emit_link(const char *key, const char *path)
{
    char target[4096];
    ssize_t length = readlink(path, target, sizeof target);

    if (length < 0)
        emit(key, "<%s>", outcome(length));
    else
        emit_bytes(key, target, length);
}

/* Free memory is what MemFree says and what waits on the per-CPU lists; both in kB. */
void probe_memory(void)
{
    static const char *const wanted[] = {
        "MemTotal", "MemFree", "Cached", "Shmem", "Unevictable", "Mlocked", "AnonPages",
    };
    unsigned long lists = 0, free_kb = 0;

    if (slurp("/proc/zoneinfo", text, sizeof text) >= 0)
        for (char *at = text; (at = strstr(at, " count:")) != NULL; at++)
            lists += strtoul(at + 7, NULL, 10) * (sysconf(_SC_PAGESIZE) / 1024);
    if (slurp("/proc/meminfo", text, sizeof text) < 0)
        return;
    for (unsigned i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        const char *at = strstr(text, keyf("%s:", wanted[i]));
        unsigned long kb;
        if (at == NULL)
            continue;
        kb = strtoul(strchr(at, ':') + 1, NULL, 10);
        emit(keyf("memory.%s", wanted[i]), "%lu", kb);
        if (i == 1)
            free_kb = kb;
    }
    emit("memory.lists", "%lu", lists);
    emit("memory.free", "%lu", free_kb + lists);
}

/* mountinfo writes space, tab, newline and backslash as \ooo. */
static void unescape(char *word)
{
    char *to = word;

    for (char *from = word; *from; from++)
        if (from[0] == '\\' && isdigit(from[1]) && isdigit(from[2]) && isdigit(from[3])) {
            *to++ = (char)strtol((char[]){ from[1], from[2], from[3], 0 }, NULL, 8);
            from += 3;
        } else
            *to++ = *from;
    *to = 0;
}

static struct mount {
    int id, parent;
    char *root, *device, *point, *options, *rest;
} mounts[512];
static int mount_count;

/* "/", or "/dev#2" for the second mount on the same place. */
static const char *mount_key(int at)
{
    int stacked = 1;

    for (int i = 0; i < at; i++)
        stacked += strcmp(mounts[i].point, mounts[at].point) == 0;
    return stacked == 1 ? mounts[at].point : keyf("%s#%d", mounts[at].point, stacked);
}

/* Mount ids differ from boot to boot: a parent is named by its place. */
static const char *parent_key(int at)
{
    for (int i = 0; i < mount_count; i++)
        if (mounts[i].id == mounts[at].parent)
            return i == at ? "itself" : mount_key(i);
    return "outside";
}

static void emit_mount(int at)
{
    const char *key = strdup(mount_key(at));
    char *separator = strstr(mounts[at].rest, "- "), *type, *source;
    struct statfs fs;

    if (separator == NULL)
        return;
    *separator = 0;
    separator += 2;
    type = strsep(&separator, " ");
    source = strsep(&separator, " ");
    emit(keyf("mount.%s.parent", key), "%s", parent_key(at));
    emit(keyf("mount.%s.dev", key), "%s", mounts[at].device);
    emit(keyf("mount.%s.root", key), "%s", mounts[at].root);
    emit(keyf("mount.%s.options", key), "%s", mounts[at].options);
    emit(keyf("mount.%s.propagation", key), "%s", mounts[at].rest);
    emit(keyf("mount.%s.type", key), "%s", type);
    emit(keyf("mount.%s.source", key), "%s", source ? source : "");
    emit(keyf("mount.%s.super", key), "%s", separator ? separator : "");
    if (statfs(mounts[at].point, &fs) == 0)
        emit(keyf("mount.%s.statfs", key), "type %lx flags %lx", (long)fs.f_type, (long)fs.f_flags);
}

/* `own_proc`: the last mount on /proc is the probe's and is left out. */
void probe_mounts(int own_proc)
{
    char *next = text;
    int own = -1;

    if (slurp("/proc/self/mountinfo", text, sizeof text) < 0) {
        emit("mounts", "<%s>", outcome(-1));
        return;
    }
    for (char *line; (line = strsep(&next, "\n")) != NULL && *line && mount_count < 512;) {
        struct mount *mount = &mounts[mount_count];

        mount->id = atoi(strsep(&line, " "));
        mount->parent = line ? atoi(strsep(&line, " ")) : 0;
        mount->device = strsep(&line, " ");
        mount->root = strsep(&line, " ");
        mount->point = strsep(&line, " ");
        mount->options = strsep(&line, " ");
        mount->rest = line;
        if (line == NULL)
            continue;
        unescape(mount->point);
        if (own_proc && strcmp(mount->point, "/proc") == 0)
            own = mount_count;
        mount_count++;
    }
    for (int i = 0; i < mount_count; i++)
        if (i != own)
            emit_mount(i);
    emit("mounts.count", "%d", mount_count - (own >= 0));
}

/* The lines of /proc/self/status that a start by the kernel fixes. */
static void probe_status_lines(void)
{
    static const char *const wanted[] = {
        "Name", "Umask", "State", "Tgid", "Ngid", "Pid", "PPid", "TracerPid", "Uid", "Gid", "FDSize",
        "Groups", "NStgid", "NSsid", "Kthread", "Threads", "SigPnd", "ShdPnd", "SigBlk", "SigIgn", "SigCgt",
        "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp", "Seccomp_filters",
        "Speculation_Store_Bypass", "SpeculationIndirectBranch", "Cpus_allowed", "Mems_allowed",
        "THP_enabled",
    };
    char *next = text;

    if (slurp("/proc/self/status", text, sizeof text) < 0)
        return;
    for (char *line; (line = strsep(&next, "\n")) != NULL;) {
        char *value = strstr(line, ":\t");
        if (value == NULL)
            continue;
        *value = 0;
        for (unsigned i = 0; i < sizeof wanted / sizeof *wanted; i++)
            if (strcmp(line, wanted[i]) == 0)
                emit(keyf("status.%s", line), "%s", value + 2);
    }
}

void probe_status(void)
{
    static const char *const files[] = {
        "environ", "cmdline", "comm", "oom_score_adj", "coredump_filter", "autogroup", "loginuid",
        "sessionid", "uid_map", "gid_map", "setgroups", "timens_offsets", "cgroup", "attr/current",
    };
    static const char *const spaces[] = {
        "cgroup", "ipc", "mnt", "net", "pid", "pid_for_children", "time", "time_for_children", "user", "uts",
    };
    char **names;
    int count = sorted_names("/proc/self/task", &names);

    emit("threads", "%d", count);
    probe_status_lines();
    for (unsigned i = 0; i < sizeof files / sizeof *files; i++)
        emit_file(keyf("self.%s", files[i]), keyf("/proc/self/%s", files[i]));
    for (unsigned i = 0; i < sizeof spaces / sizeof *spaces; i++)
        emit_link(keyf("namespace.%s", spaces[i]), keyf("/proc/self/ns/%s", spaces[i]));
    emit_link("self.exe", "/proc/self/exe");
    emit_link("self.cwd", "/proc/self/cwd");
    emit_link("self.root", "/proc/self/root");
    if (slurp("/proc/self/stat", text, sizeof text) >= 0) {
        char *at = strrchr(text, ')');
        int tty = 0, foreground = 0;
        if (at && sscanf(at, ") %*c %*d %*d %*d %d %d", &tty, &foreground) == 2)
            emit("tty.controlling", "%d (foreground group %d)", tty, foreground);
    }
    count = sorted_names("/proc/self/fd", &names);
    for (int i = 0; i < count; i++) {
        char target[16];
        /* The folder that is being read was open for a moment too; it is gone now. */
        if (readlink(keyf("/proc/self/fd/%s", names[i]), target, sizeof target) >= 0)
            emit_link(keyf("fd.%s.link", names[i]), keyf("/proc/self/fd/%s", names[i]));
    }
}

/* All processes but this one and the kernel's threads. */
void probe_processes(void)
{
    char **names;
    int count = sorted_names("/proc", &names), others = 0;

    for (int i = 0; i < count; i++) {
        int pid = atoi(names[i]), parent = 0;
        unsigned flags = 0;
        char state = '?', *open, *close;

        if (!isdigit(names[i][0]) || pid == getpid())
            continue;
        if (slurp(keyf("/proc/%d/stat", pid), text, sizeof text) < 0)
            continue;
        open = strchr(text, '(');
        close = strrchr(text, ')');
        if (!open || !close || sscanf(close, ") %c %d %*d %*d %*d %*d %u", &state, &parent, &flags) != 3)
            continue;
        if (flags & PF_KTHREAD)
            continue;
        others++;
        *close = 0;
        emit(keyf("process.%d", pid), "comm %s state %c ppid %d", open + 1, state, parent);
        emit_file(keyf("process.%d.cmdline", pid), keyf("/proc/%d/cmdline", pid));
    }
    emit("processes.others", "%d", others);
}

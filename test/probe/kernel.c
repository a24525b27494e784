/* What the kernel keeps besides processes: its parameters, keys, modules, and what processes share. */

#include "probe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static char text[1 << 18];

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Keyrings without their use counts and serial numbers; these are random, and the kernel sorts by them. */
static void probe_keys(void)
{
    /* keyctl(2): KEY_SPEC_THREAD_KEYRING and the next two. */
    static const struct { const char *name; int id; } rings[] = {
        { "thread", -1 }, { "process", -2 }, { "session", -3 },
    };
    static char *lines[256];
    char *next = text;
    int count = 0;

    if (slurp("/proc/keys", text, sizeof text) < 0) {
        emit("keys", "<%s>", outcome(-1));
        return;
    }
    for (char *line; (line = strsep(&next, "\n")) != NULL && *line && count < 256;) {
        char flags[16], timeout[16], rights[16];
        int uid, gid, rest = 0;
        sscanf(line, "%*s %15s %*s %15s %15s %d %d %n", flags, timeout, rights, &uid, &gid, &rest);
        if (rest > 0)
            lines[count++] = strdup(keyf("%s %s %s %d %d %s", flags, timeout, rights, uid, gid, line + rest));
    }
    qsort(lines, count, sizeof *lines, by_text);
    for (int i = 0; i < count; i++)
        emit(keyf("key.%d", i), "%s", lines[i]);
    emit("keys.count", "%d", count);
    /* Asking for the session's keyring may make one, so it comes behind the list. */
    for (unsigned i = 0; i < sizeof rings / sizeof *rings; i++)
        emit(keyf("keyring.%s", rings[i].name), "%s", outcome(syscall(SYS_keyctl, 0, rings[i].id, 0)));
}

void probe_kernel(void)
{
    char *next = text, *line;
    int count = 0;

    emit_file("kernel.cmdline", "/proc/cmdline");
    emit_file("kernel.version", "/proc/version");
    emit_file("kernel.swaps", "/proc/swaps");
    emit_file("kernel.mdstat", "/proc/mdstat");
    emit_file("ipc.shm", "/proc/sysvipc/shm");
    emit_file("ipc.sem", "/proc/sysvipc/sem");
    emit_file("ipc.msg", "/proc/sysvipc/msg");
    emit_file("ipc.locks", "/proc/locks");
    emit_file("kernel.firmware_path", "/sys/module/firmware_class/parameters/path");
    emit_file("kernel.printk_devkmsg", "/proc/sys/kernel/printk_devkmsg");
    probe_keys();
    if (slurp("/proc/modules", text, sizeof text) >= 0)
        for (; (line = strsep(&next, "\n")) != NULL && *line; count++)
            emit(keyf("module.%s", strsep(&line, " ")), "loaded");
    emit("modules.count", "%d", count);
}

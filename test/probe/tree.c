/* Listings of folders, and every knob below /proc/sys. */

#include "probe.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define DEEPEST 24

static int no_dots(const struct dirent *entry)
{
    return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

static int by_byte(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

int sorted_names(const char *path, char ***names)
{
    struct dirent **entries;
    int count = scandir(path, &entries, no_dots, by_byte);

    if (count < 0)
        return -1;
    *names = calloc(count + 1, sizeof **names);
    for (int i = 0; i < count; i++) {
        (*names)[i] = strdup(entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    return count;
}

static void describe(const char *path, const struct stat *st)
{
    const char *key = keyf("dir.%s", path);
    const char *rights = keyf("%04o %d:%d", st->st_mode & 07777, st->st_uid, st->st_gid);
    const char *node = keyf("%u:%u", major(st->st_rdev), minor(st->st_rdev));
    char target[4096];
    ssize_t length;

    switch (st->st_mode & S_IFMT) {
    case S_IFDIR: emit(key, "dir %s", rights); break;
    case S_IFCHR: emit(key, "char %s %s", node, rights); break;
    case S_IFBLK: emit(key, "block %s %s", node, rights); break;
    case S_IFREG: emit(key, "file %s size %ld", rights, (long)st->st_size); break;
    case S_IFSOCK: emit(key, "socket %s", rights); break;
    case S_IFIFO: emit(key, "fifo %s", rights); break;
    case S_IFLNK:
        length = readlink(path, target, sizeof target);
        emit(key, "link %.*s", length < 0 ? 0 : (int)length, target);
    }
}

/* What lies in the folder, down to `deeper` more levels. */
static void list(const char *path, int deeper)
{
    char **names, *below;
    int count = sorted_names(path, &names);
    struct stat st;

    for (int i = 0; i < count; i++) {
        if (asprintf(&below, "%s/%s", strcmp(path, "/") == 0 ? "" : path, names[i]) < 0)
            return;
        if (lstat(below, &st) == 0) {
            describe(below, &st);
            if (S_ISDIR(st.st_mode) && deeper > 0)
                list(below, deeper - 1);
        }
        free(below);
    }
}

/* The folder in full; "/" alone with its first level only. */
void probe_listing(const char *top)
{
    list(top, strcmp(top, "/") == 0 ? 0 : DEEPEST);
}

/* Knobs that differ between any two boots, or whose reading changes something. */
static const struct { const char *path, *reason; } skipped[] = {
    { "fs/aio-nr", "counts requests in use" },
    { "fs/dentry-nr", "counts cached names" },
    { "fs/dentry-state", "counts cached names" },
    { "fs/file-nr", "counts open files" },
    { "fs/inode-nr", "counts cached inodes" },
    { "fs/inode-state", "counts cached inodes" },
    { "fs/quota", "counts events" },
    { "kernel/ns_last_pid", "counts processes" },
    { "kernel/pty/nr", "counts terminals" },
    { "kernel/random/boot_id", "drawn by lot at each boot" },
    { "kernel/random/entropy_avail", "changes with every interrupt" },
    { "kernel/random/uuid", "drawn by lot at each reading" },
    { "net/ipv4/tcp_fastopen_key", "drawn by lot" },
    { "net/netfilter/nf_conntrack_count", "counts connections" },
    { "vm/stat_refresh", "reading it folds the per-CPU counters" },
};

static const char *reason_to_skip(const char *name)
{
    for (unsigned i = 0; i < sizeof skipped / sizeof *skipped; i++)
        if (strcmp(name, skipped[i].path) == 0)
            return skipped[i].reason;
    return NULL;
}

static void knobs(const char *path, int deeper)
{
    char **names, *below;
    int count = sorted_names(path, &names);
    struct stat st;

    for (int i = 0; i < count; i++) {
        if (asprintf(&below, "%s/%s", path, names[i]) < 0)
            return;
        const char *name = below + strlen("/proc/sys/"), *reason = reason_to_skip(name);
        if (reason != NULL)
            emit(keyf("sys.%s", name), "(not read: %s)", reason);
        else if (lstat(below, &st) == 0 && S_ISDIR(st.st_mode)) {
            if (deeper > 0)
                knobs(below, deeper - 1);
        } else if (st.st_mode & 0444)
            emit_file(keyf("sys.%s", name), below);
        free(below);
    }
}

void probe_sysctl(void)
{
    knobs("/proc/sys", DEEPEST);
}

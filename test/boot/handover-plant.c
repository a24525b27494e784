/*
 * Plants files in the rootfs and looks afterwards what became of them, by a seed (plant.seed= on the command line).
 *
 * As the hook of `mount` it mounts the root. As that of `cleanup` it leaves a process behind whose argv[0] begins with '@'. That fills the rootfs, filesystems that are
 * mounted in it, and /data of the real root with files of every kind, notes what they hold, mounts them upon each
 * other, and keeps a descriptor of each. As the real init it has that process look again, by these descriptors, and
 * powers off. What they tell, line by line, is for test/boot/handover-trees.test.ts.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NODES = 400, FILESYSTEMS = 8, ROOTFS = 0, REAL = 1, BIG = 48 << 20 };

static struct filesystem { const char *top; int folder; unsigned long hash; } filesystems[FILESYSTEMS] = {
    { "/plant", -1, 0 },      { "/sysroot/data", -1, 0 }, { "/mnt-1", -1, 0 },      { "/mnt-2", -1, 0 },
    { "/dev/mnt-3", -1, 0 },  { "/run/mnt-4", -1, 0 },    { "/mnt-1/mnt-5", -1, 0 }, { "/plant/mnt-6", -1, 0 },
};

/* `same` is the node whose inode it is: another one for a hard link. `weight`: its memory is to be seen free again. */
static struct node { int fs, parent, folder, mount_point, immutable, same, weight; char path[3000]; } nodes[NODES];
static int node_count, immutables, rootfs;
static unsigned long state;
static int console;

static void say(const char *format, ...)
{
    char line[4096];
    int length = sprintf(line, "<6>plant: ");
    va_list list;

    va_start(list, format);
    length += vsnprintf(line + length, 900, format, list);
    va_end(list);
    line[length > 900 ? 900 : length] = '\n';
    if (write(console, line, (length > 900 ? 900 : length) + 1) < 0)
        _exit(1);
}

static void must(long result, const char *what, const char *path)
{
    if (result < 0)
        say("FAILED %s %s: %s", what, path, strerrorname_np(errno));
}

static unsigned below(unsigned limit)
{
    state = state * 6364136223846793005UL + 1442695040888963407UL;
    return (state >> 33) % limit;
}

/* A random node that is wanted, by any filesystem when `fs` is below 0; -1 when none was met. */
static int some(int fs, int folder)
{
    for (int tries = 0; tries < 200; tries++) {
        int at = below(node_count);
        if ((fs < 0 || nodes[at].fs == fs) && nodes[at].folder == folder && !nodes[at].mount_point)
            return at;
    }
    return -1;
}

static struct node *add(int fs, int parent, int folder, const char *path)
{
    struct node *node = &nodes[node_count];

    *node = (struct node){ .fs = fs, .parent = parent, .folder = folder, .same = node_count };
    snprintf(node->path, sizeof node->path, "%s", path);
    node_count++;
    return node;
}

static void new_path(char *to, const char *folder)
{
    static const char *const tails[] = { "", " ", "\n", "\xff", ".", "..x", "\\", "'\"$(" };
    static unsigned serial;

    sprintf(to, "%s/%s%u%s", folder, below(9) ? "n" : ".", serial++, tails[below(8)]);
    if (below(20) == 0 && strlen(to) < 2000)
        memset(to + strlen(to), 'y', 200), to[strlen(folder) + 200] = 0;
}

static void write_file(const char *path, size_t size)
{
    static char block[65536];
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    for (unsigned i = 0; i < sizeof block; i++)
        block[i] = below(256);
    must(fd, "creating", path);
    for (size_t left = size; left > 0; left -= left < sizeof block ? left : sizeof block)
        must(write(fd, block, left < sizeof block ? left : sizeof block), "writing", path);
    close(fd);
}

static void plant_one(void)
{
    static const char *const targets[] = { "/", "..", "/sysroot", "/sysroot/data", "/mnt-1", "/plant", "nowhere", "/proc" };
    int parent = some(-1, 1), other;
    char path[4000];

    if (parent < 0 || strlen(nodes[parent].path) > 2500)
        return;
    new_path(path, nodes[parent].path);
    switch (below(10)) {
    case 0: case 1: case 2:
        must(mkdir(path, 0700), "mkdir", path);
        add(nodes[parent].fs, parent, 1, path);
        return;
    case 3: must(symlink(targets[below(8)], path), "symlink", path); break;
    case 4: must(mkfifo(path, 0600), "mkfifo", path); break;
    case 5: must(mknod(path, S_IFCHR | 0600, makedev(1, 3)), "mknod", path); break;
    case 6:
        other = some(nodes[parent].fs, 0);
        if (other < 0)
            return;
        must(linkat(AT_FDCWD, nodes[other].path, AT_FDCWD, path, 0), "link", path);
        add(nodes[parent].fs, parent, 0, path)->same = nodes[other].same;
        return;
    default: write_file(path, below(4) ? below(5000) : 0);
    }
    add(nodes[parent].fs, parent, 0, path);
}

/* What lies in the folder, of this filesystem; mount points by their name alone. */
static unsigned long hash_folder(int folder, unsigned long hash)
{
    int count = 0;
    DIR *dir = fdopendir(openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    char *all[2000];

    for (struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL && count < 2000;)
        if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
            all[count++] = strdup(entry->d_name);
    if (dir != NULL)
        closedir(dir);
    /* Any order will do, the same each time: the sum of what is below. */
    for (int i = 0; i < count; i++) {
        unsigned long one = 14695981039346656037UL;
        struct stat st;
        char block[65536];
        int fd;

        for (const char *at = all[i]; *at; at++)
            one = (one ^ (unsigned char)*at) * 1099511628211UL;
        if (strstr(all[i], "mnt-") == NULL && fstatat(folder, all[i], &st, AT_SYMLINK_NOFOLLOW) == 0) {
            one = (one ^ st.st_mode) * 1099511628211UL;
            if (S_ISDIR(st.st_mode) && (fd = openat(folder, all[i], O_RDONLY | O_NOFOLLOW | O_CLOEXEC)) >= 0)
                one = hash_folder(fd, one), close(fd);
            if (S_ISREG(st.st_mode) && (fd = openat(folder, all[i], O_RDONLY | O_NOFOLLOW | O_CLOEXEC)) >= 0) {
                for (ssize_t got; (got = read(fd, block, sizeof block)) > 0;)
                    for (ssize_t k = 0; k < got; k++)
                        one = (one ^ (unsigned char)block[k]) * 1099511628211UL;
                close(fd);
            }
        }
        hash += one * 31;
        free(all[i]);
    }
    return hash;
}

static void make_filesystems(void)
{
    for (int fs = 0; fs < FILESYSTEMS; fs++) {
        const char *top = filesystems[fs].top;

        must(mkdir(top, 0755), "mkdir", top);
        if (fs > REAL)
            must(mount("plant", top, "tmpfs", 0, NULL), "mounting", top);
        filesystems[fs].folder = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        must(filesystems[fs].folder, "opening", top);
        /* A mount point in the planted folder is no place for bind mounts. */
        add(fs, -1, 1, top)->mount_point = 0;
    }
}

/* Folders and files, each over another of its kind, whatever filesystems they are of; none over the tops. */
static void mount_over_each_other(void)
{
    int done = 0;

    for (int tries = 0; tries < 40; tries++) {
        int folder = below(2), from = some(-1, folder), onto = some(below(3) ? ROOTFS : -1, folder);
        struct stat st;

        if (from < 0 || onto < 0 || from == onto || nodes[onto].parent < 0 || nodes[onto].fs == REAL)
            continue;
        if (lstat(nodes[from].path, &st) < 0 || S_ISLNK(st.st_mode) || lstat(nodes[onto].path, &st) < 0 ||
            S_ISLNK(st.st_mode))
            continue;
        done += mount(nodes[from].path, nodes[onto].path, NULL, MS_BIND | (below(2) ? MS_REC : 0), NULL) == 0;
    }
    say("%d bind mounts", done);
}

static void make_immutable(void)
{
    int flags = FS_IMMUTABLE_FL;

    /* Some; more tries only until there is one. */
    for (int tries = 0; tries < 6 || (immutables == 0 && tries < 500); tries++) {
        int at = some(ROOTFS, below(3) == 0), fd;
        struct stat st;

        if (at < 0 || nodes[at].parent < 0 || nodes[at].weight || lstat(nodes[at].path, &st) < 0 ||
            !(S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)))
            continue;
        fd = open(nodes[at].path, O_RDONLY | O_CLOEXEC);
        if (ioctl(fd, FS_IOC_SETFLAGS, &flags) == 0)
            nodes[nodes[at].same].immutable = ++immutables;
        else {
            /* A ramfs knows no such files. */
            say("immutable: %s", strerrorname_np(errno));
            tries = 500;
        }
        close(fd);
    }
}

/* Can't be deleted: it or its folder is immutable, or what is in it can't be. */
static int stays(int at)
{
    const struct node *node = &nodes[at];

    if (nodes[node->same].immutable || (node->parent >= 0 && nodes[nodes[node->parent].same].immutable))
        return 1;
    for (int child = 0; child < node_count; child++)
        if (nodes[child].parent == at && stays(child))
            return 1;
    return 0;
}

/* The names in the rootfs that are there, each told unless it was to stay. */
static int left_below(int folder, const char *path)
{
    DIR *dir = fdopendir(openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    int count = 0;

    for (struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL;) {
        char name[4096];
        int fd, known = strcmp(path, "") == 0 && strcmp(entry->d_name, "sysroot") == 0;

        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        count++;
        for (int at = 0; at < node_count && !known; at++)
            known = nodes[at].fs == ROOTFS && strcmp(nodes[at].path, name) == 0 && stays(at);
        if (!known)
            say("LEFT %s", name);
        fd = openat(folder, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd >= 0)
            count += left_below(fd, name), close(fd);
    }
    if (dir != NULL)
        closedir(dir);
    return count;
}

static unsigned long free_kb(const char *wanted)
{
    static char text[1 << 16];
    unsigned long lists = 0, found = 0;
    const char *const files[] = { "/proc/zoneinfo", "/proc/meminfo" };

    for (int i = 0; i < 2; i++) {
        int fd = open(files[i], O_RDONLY | O_CLOEXEC);
        ssize_t length = 0, got;
        while (fd >= 0 && (got = read(fd, text + length, sizeof text - 1 - length)) > 0)
            length += got;
        text[length] = 0;
        close(fd);
        for (char *at = text; i == 0 && (at = strstr(at, " count:")) != NULL; at++)
            lists += strtoul(at + 7, NULL, 10) * 4;
        if (i == 1 && strstr(text, wanted) != NULL)
            found = strtoul(strstr(text, wanted) + strlen(wanted), NULL, 10);
    }
    return strcmp(wanted, "MemFree:") == 0 ? found + lists : found;
}

static unsigned long read_seed(void)
{
    char line[4096] = "";
    int fd = open("/proc/cmdline", O_RDONLY | O_CLOEXEC);
    char *at = read(fd, line, sizeof line - 1) > 0 ? strstr(line, "plant.seed=") : NULL;

    close(fd);
    return at != NULL ? strtoul(at + strlen("plant.seed="), NULL, 10) : 1;
}

static void keep(int ready)
{
    sigset_t set;
    int number, kept = 0, held;

    state = read_seed();
    rootfs = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    make_filesystems();
    while (node_count < NODES)
        plant_one();
    write_file("/plant/big", BIG);
    add(ROOTFS, 0, 0, "/plant/big")->weight = 1;
    held = open("/plant/big", O_RDONLY | O_CLOEXEC);
    for (int fs = REAL; fs < FILESYSTEMS; fs++)
        filesystems[fs].hash = hash_folder(filesystems[fs].folder, 0);
    make_immutable();
    mount_over_each_other();
    for (int at = 0; at < node_count; at++)
        kept += nodes[at].fs == ROOTFS && stays(at);
    say("planted %d nodes, %d immutable", node_count, immutables);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    if (write(ready, "", 1) != 1)
        _exit(1);
    close(ready);
    sigwait(&set, &number);
    for (int fs = REAL; fs < FILESYSTEMS; fs++)
        say("%s %s", filesystems[fs].top,
            hash_folder(filesystems[fs].folder, 0) == filesystems[fs].hash ? "whole" : "CHANGED");
    /* /sysroot stays, as the new root is mounted there until it is moved. */
    say("left %d names, %d expected", left_below(rootfs, ""), kept + 1);
    close(held);
}

static int look_after(void)
{
    DIR *proc = opendir("/proc");

    console = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
    for (struct dirent *entry; (entry = readdir(proc)) != NULL;) {
        char path[300], words[32] = "";
        int pid = atoi(entry->d_name), fd;

        snprintf(path, sizeof path, "/proc/%s/cmdline", entry->d_name);
        if (pid < 2 || (fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
            continue;
        if (read(fd, words, sizeof words - 1) > 0 && words[0] == '@') {
            kill(pid, SIGUSR1);
            waitpid(pid, NULL, 0);
        }
        close(fd);
    }
    say("in use %lu kB", free_kb("MemTotal:") - free_kb("MemFree:"));
    say("END");
    sync();
    return reboot(RB_POWER_OFF);
}

int main(int argc, char **argv)
{
    int ready[2];
    char byte;

    (void)argc;
    if (getpid() == 1)
        return look_after();
    if (strstr(argv[0], "mount") != NULL)
        return mount("/dev/vda", getenv("NEWROOT"), "ext4", 0, NULL) < 0;
    console = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
    if (pipe(ready) < 0)
        return 1;
    if (fork() == 0) {
        close(ready[0]);
        setsid();
        for (int fd = 0; fd < 3; fd++)
            close(fd);
        argv[0][0] = '@';
        keep(ready[1]);
        return 0;
    }
    close(ready[1]);
    return read(ready[0], &byte, 1) == 1 ? 0 : 1;
}

/* A hook for test/boot/hooks.test.ts: says what it finds, and leaves an orphan that ends and a daemon that does not. */

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

extern char **environ;

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void say_environment(void)
{
    int count = 0;
    while (environ[count]) count++;
    qsort(environ, count, sizeof *environ, compare);
    printf("environment:");
    for (int i = 0; i < count; i++) printf(" %s", environ[i]);
    printf("\n");
}

static void say_descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    printf("descriptors:");
    for (struct dirent *entry; (entry = readdir(dir));)
        if (entry->d_name[0] != '.' && atoi(entry->d_name) != dirfd(dir)) printf(" %s", entry->d_name);
    printf("\n");
    closedir(dir);
}

static void say_signals(void)
{
    sigset_t blocked;
    int ignored = 0, mask = 0;
    sigprocmask(SIG_BLOCK, NULL, &blocked);
    for (int number = 1; number < 65; number++) {
        struct sigaction action;
        if (sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN) ignored++;
        if (sigismember(&blocked, number) == 1) mask++;
    }
    printf("signals: %d ignored, %d blocked\n", ignored, mask);
}

/* A process that no parent will wait for; when it `stays` it holds the hook's output open. */
static void leave_behind(int stays)
{
    if (fork() == 0) {
        setsid();
        if (fork() == 0 && stays) for (;;) pause();
        _exit(0);
    }
}

int main(int argc, char **argv)
{
    struct rlimit files;
    struct stat root, node;
    const char *device = getenv("RDINIT_ROOT"), *new_root = getenv("NEWROOT");

    setvbuf(stdout, NULL, _IOLBF, 0);
    getrlimit(RLIMIT_NOFILE, &files);
    printf("called: %d %s\n", argc, argv[0]);
    say_environment();
    say_descriptors();
    say_signals();
    printf("limit: %lu %lu\n", (unsigned long)files.rlim_cur, (unsigned long)files.rlim_max);
    printf("leads: session %s, group %s\n", getsid(0) == getpid() ? "yes" : "no", getpgrp() == getpid() ? "yes" : "no");
    if (device && stat(device, &node) == 0 && S_ISBLK(node.st_mode))
        printf("device: %s is %u:%u\n", device, major(node.st_rdev), minor(node.st_rdev));
    if (new_root && stat("/", &root) == 0 && stat(new_root, &node) == 0)
        printf("root: %s is %s\n", new_root, root.st_dev == node.st_dev ? "not mounted" : "mounted");
    leave_behind(0);
    leave_behind(1);
    return 0;
}

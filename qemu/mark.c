/*
 * The real init of the benchmark: its first act is a line in the kernel's log, before which the kernel
 * puts its own time, as it does when it starts /init. A second line tells how much memory is free, and a third, where
 * rd.timing was asked for, what the record says of the beginning. Then it powers the machine off.
 */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <time.h>
#include <unistd.h>

static const char mark[] = "<6>benchmark: the real init runs\n";

static char text[1 << 16];

static const char *slurp(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = 0, got;

    while (fd >= 0 && (got = read(fd, text + length, sizeof text - 1 - length)) > 0)
        length += got;
    text[length] = 0;
    close(fd);
    return text;
}

/* In kB: MemFree leaves out the pages on the lists of each processor, which are as free. */
static unsigned long free_memory(void)
{
    const char *const wanted = "MemFree:";
    unsigned long lists = 0;
    const char *at;

    if (access("/proc/meminfo", R_OK) != 0)
        mount("proc", "/proc", "proc", 0, NULL);
    for (at = slurp("/proc/zoneinfo"); (at = strstr(at, " count:")) != NULL; at++)
        lists += strtoul(at + 7, NULL, 10) * (sysconf(_SC_PAGESIZE) / 1024);
    at = strstr(slurp("/proc/meminfo"), wanted);
    return at == NULL ? 0 : lists + strtoul(at + strlen(wanted), NULL, 10);
}

/* The number behind `name` behind `entry`, in the record. */
static unsigned long recorded(const char *record, const char *entry, const char *name)
{
    const char *at = strstr(record, entry);

    at = at == NULL ? NULL : strstr(at, name);
    return at == NULL ? 0 : strtoul(at + strlen(name), NULL, 10);
}

/* In microseconds of CLOCK_MONOTONIC; what that says now tells how far it is behind the clock of the log. */
static void tell_record(int log)
{
    const char *record = slurp("/run/rdinit/timing.json");
    unsigned long init = recorded(record, "\"init_us\"", ":");
    unsigned long program = recorded(record, "\"the runtime starts\"", "\"to_us\":");
    struct timespec now;
    char line[120];

    clock_gettime(CLOCK_MONOTONIC, &now);
    snprintf(line, sizeof line, "<6>benchmark: init %lu, program %lu, now %lu\n", init, program,
             now.tv_sec * 1000000UL + now.tv_nsec / 1000);
    if (*record != 0 && write(log, line, strlen(line)) < 0)
        exit(1);
}

int main(void)
{
    int log = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
    char line[80];

    if (log < 0 && mount("devtmpfs", "/dev", "devtmpfs", 0, NULL) == 0)
        log = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
    if (log < 0 || write(log, mark, strlen(mark)) < 0)
        return 1;
    snprintf(line, sizeof line, "<6>benchmark: %lu kB are free\n", free_memory());
    if (write(log, line, strlen(line)) < 0)
        return 1;
    tell_record(log);
    return reboot(RB_POWER_OFF);
}

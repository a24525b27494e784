/*
 * A storm of uevents, as the hook of pre-trigger: it takes the driver away from the first virtio disk, and gives it back
 * when a process that it leaves behind has had the kernel send storm.events= events
 * (Documentation/ABI/testing/sysfs-uevent): of the second disk, of a device with a modalias, and of one that nobody
 * cares for. With the root on the first disk the boot can't end before the storm.
 */

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static const char driver[] = "/sys/bus/virtio/drivers/virtio_blk";

static unsigned long wanted(void)
{
    static char line[4096];
    int fd = open("/proc/cmdline", O_RDONLY | O_CLOEXEC);
    ssize_t length = read(fd, line, sizeof line - 1);
    const char *at = length > 0 ? strstr(line, "storm.events=") : NULL;

    close(fd);
    return at == NULL ? 0 : strtoul(at + strlen("storm.events="), NULL, 10);
}

static int put(const char *folder, const char *file, const char *word)
{
    char path[512];
    int fd;

    snprintf(path, sizeof path, "%s/%s", folder, file);
    fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, word, strlen(word)) < 0)
        return -1;
    return close(fd);
}

static void say(const char *words, unsigned long number)
{
    char line[128];
    int fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC), length;

    length = snprintf(line, sizeof line, "<6>storm: %s %lu\n", words, number);
    if (write(fd, line, length) < 0)
        _exit(1);
    close(fd);
}

int main(void)
{
    static const char *const folders[] = {
        "/sys/class/block/vdb", "/sys/devices/pnp0/00:00", "/sys/devices/virtual/mem/null",
    };
    unsigned long events = wanted(), sent = 0;
    int fds[3], count = 0;
    char name[64] = "";
    DIR *dir = opendir(driver);

    for (struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL;)
        if (strncmp(entry->d_name, "virtio", 6) == 0 && (*name == 0 || strcmp(entry->d_name, name) < 0))
            snprintf(name, sizeof name, "%.60s", entry->d_name);
    if (*name == 0 || put(driver, "unbind", name) < 0)
        return 1;
    if (fork() != 0)
        return 0;
    /* The hook has ended when its pipe is closed. */
    for (int fd = 0; fd < 64; fd++)
        close(fd);
    setsid();
    for (int i = 0; i < 3; i++) {
        char path[512];
        snprintf(path, sizeof path, "%s/uevent", folders[i]);
        if ((fds[count] = open(path, O_WRONLY | O_CLOEXEC)) >= 0)
            count++;
    }
    say("begins with devices", count);
    while (count > 0 && sent < events)
        sent += write(fds[sent % count], "add", 3) == 3;
    say("is over, events", sent);
    put(driver, "bind", name);
    return 0;
}

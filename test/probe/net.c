/* Network interfaces, their addresses, routes, and sockets of the machine itself. */

#include "probe.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static char text[1 << 16];

static void probe_interface(int fd, const char *name)
{
    struct ifreq request = { 0 };
    struct sockaddr_in *address = (struct sockaddr_in *)&request.ifr_addr;

    strncpy(request.ifr_name, name, IFNAMSIZ - 1);
    if (ioctl(fd, SIOCGIFFLAGS, &request) == 0)
        emit(keyf("net.%s.flags", name), "%x", (unsigned short)request.ifr_flags);
    if (ioctl(fd, SIOCGIFMTU, &request) == 0)
        emit(keyf("net.%s.mtu", name), "%d", request.ifr_mtu);
    if (ioctl(fd, SIOCGIFADDR, &request) == 0)
        emit(keyf("net.%s.ipv4", name), "%s", inet_ntoa(address->sin_addr));
    else
        emit(keyf("net.%s.ipv4", name), "<%s>", outcome(-1));
}

/* The named file's lines as PREFIX.0, PREFIX.1; a column of use counts, from 0, is left out. */
static void probe_lines(const char *prefix, const char *path, int skip_first, int counts_from, int counts_to)
{
    char *next = text;
    int count = 0;

    if (slurp(path, text, sizeof text) < 0) {
        emit(prefix, "<%s>", outcome(-1));
        return;
    }
    for (char *line; (line = strsep(&next, "\n")) != NULL && *line;) {
        char kept[512] = "";
        int column = 0;
        if (skip_first-- > 0)
            continue;
        for (char *word; (word = strsep(&line, " \t")) != NULL;) {
            if (*word == 0)
                continue;
            if (column < counts_from || column > counts_to) {
                strncat(kept, *kept ? " " : "", sizeof kept - strlen(kept) - 1);
                strncat(kept, word, sizeof kept - strlen(kept) - 1);
            }
            column++;
        }
        emit(keyf("%s.%d", prefix, count++), "%s", kept);
    }
    emit(keyf("%s.count", prefix), "%d", count);
}

void probe_network(void)
{
    char *next = text;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (slurp("/proc/net/dev", text, sizeof text) >= 0)
        for (char *line; (line = strsep(&next, "\n")) != NULL && *line;) {
            char name[64], *colon = strchr(line, ':');
            if (colon == NULL || (*colon = 0, sscanf(line, " %63s", name)) != 1)
                continue;
            if (fd >= 0)
                probe_interface(fd, name);
            else
                emit(keyf("net.%s", name), "there");
        }
    if (fd >= 0)
        close(fd);
    probe_lines("net.ipv6", "/proc/net/if_inet6", 0, 99, 0);
    probe_lines("net.arp", "/proc/net/arp", 1, 99, 0);
    probe_lines("route.ipv4", "/proc/net/route", 1, 4, 5);
    probe_lines("route.ipv6", "/proc/net/ipv6_route", 0, 6, 7);
    /* Names alone: the rest is addresses and inode numbers. */
    probe_lines("unix", "/proc/net/unix", 1, 0, 6);
}

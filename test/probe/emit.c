/* The lines of the listing. */

#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Pages of it that stay unused cost no memory. */
static char lines[8 << 20];
static size_t used;
static unsigned count;

static void put(const char *bytes, size_t length)
{
    if (used + length > sizeof lines)
        return;
    memcpy(lines + used, bytes, length);
    used += length;
}

static void put_escaped(const char *bytes, size_t length, int in_key)
{
    for (size_t i = 0; i < length; i++) {
        unsigned char c = bytes[i];
        char escaped[5];

        if (c > 0x7e || c < 0x20 || c == '\\' || (in_key && (c == '=' || c == ' ')))
            put(escaped, snprintf(escaped, sizeof escaped, "\\x%02x", c));
        else
            put((char *)&c, 1);
    }
}

void emit_bytes(const char *key, const char *value, size_t length)
{
    put_escaped(key, strlen(key), 1);
    put("=", 1);
    put_escaped(value, length, 0);
    put("\n", 1);
    count++;
}

void emit(const char *key, const char *format, ...)
{
    static char value[8192];
    va_list list;
    int length;

    va_start(list, format);
    length = vsnprintf(value, sizeof value, format, list);
    va_end(list);
    emit_bytes(key, value, (size_t)length < sizeof value ? (size_t)length : sizeof value - 1);
}

const char *keyf(const char *format, ...)
{
    static char keys[8][4096];
    static unsigned next;
    char *key = keys[next++ % 8];
    va_list list;

    va_start(list, format);
    vsnprintf(key, sizeof keys[0], format, list);
    va_end(list);
    return key;
}

const char *outcome(long result)
{
    return result >= 0 ? "ok" : strerrorname_np(errno);
}

ssize_t slurp(const char *path, char *buffer, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    size_t length = 0;
    ssize_t got = 0;
    int why;

    if (fd < 0)
        return -1;
    while (length < size - 1 && (got = read(fd, buffer + length, size - 1 - length)) > 0)
        length += got;
    why = errno;
    close(fd);
    errno = why;
    buffer[length] = 0;
    return got < 0 && length == 0 ? -1 : (ssize_t)length;
}

void emit_file(const char *key, const char *path)
{
    static char content[65536];
    ssize_t length = slurp(path, content, sizeof content);

    if (length < 0)
        emit(key, "<%s>", outcome(-1));
    else
        emit_bytes(key, content, length > 0 && content[length - 1] == '\n' ? length - 1 : length);
}

static void write_all(int fd, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t done = write(fd, bytes, length);

        if (done < 0 && errno == EAGAIN) {
            poll(&(struct pollfd){ .fd = fd, .events = POLLOUT }, 1, -1);
            continue;
        }
        if (done < 0 && errno != EINTR)
            return;
        if (done > 0) {
            bytes += done;
            length -= done;
        }
    }
}

void flush_to(int fd)
{
    char marker[64];

    write_all(fd, "\nPROBE BEGIN\n", 13);
    write_all(fd, lines, used);
    write_all(fd, marker, snprintf(marker, sizeof marker, "PROBE END %u\n", count));
}

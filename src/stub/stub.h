/* What the files of the stub share: system calls, strings, and the words that link.ts fills in. */

#pragma once

#include <stddef.h>

#include "layout.h"

/* Filled in by link.ts, which finds it by its magic. */
extern const struct stub_config config_words;

/* The compiler must not fold the zeros that stand there while it looks. */
static inline const struct stub_config *config_address(void)
{
    const struct stub_config *address = &config_words;
    __asm__("" : "+r"(address));
    return address;
}
#define config (*config_address())

/* entry.c: says why on the console; process 1 then does what panic= asks for, any other exits. */
__attribute__((noreturn)) void give_up(int is_init, const char *why);

/* pages.c: makes the packed parts of the program appear at their addresses. */
void place_packed_pages(int is_init);

/* lzma.c: unpacks one raw LZMA stream that holds `size` bytes; 0 when it is damaged. */
struct lzma_space { unsigned short probabilities[7990]; };
int lzma_unpack(const unsigned char *from, size_t packed, unsigned char *to, size_t size, struct lzma_space *space);

/* bcj.c: turns addresses back into distances, in place, as `xz --x86` made them the other way round. */
void bcj_unfilter(unsigned char *bytes, size_t size);

/* ---- system calls (asm/unistd_64.h, and the few constants of the kernel's headers) ---- */

enum {
    SYS_write = 1, SYS_open = 2, SYS_close = 3, SYS_stat = 4, SYS_mmap = 9, SYS_mprotect = 10,
    SYS_pause = 34, SYS_nanosleep = 35, SYS_getpid = 39, SYS_exit = 60, SYS_fcntl = 72, SYS_mkdir = 83,
    SYS_unlink = 87, SYS_mknod = 133, SYS_mount = 165, SYS_reboot = 169, SYS_read = 0, SYS_prlimit64 = 302,
    SYS_memfd_create = 319, SYS_ioctl = 16, SYS_clone = 56, SYS_rt_sigprocmask = 14, SYS_userfaultfd = 323,
    SYS_clock_gettime = 228,
};
enum { O_RDWR = 2, O_RDONLY = 0, O_CREAT = 0100, O_EXCL = 0200, O_NOCTTY = 0400, O_CLOEXEC = 02000000 };
enum { PROT_READ = 1, PROT_WRITE = 2, PROT_EXEC = 4, MAP_PRIVATE = 2, MAP_FIXED = 0x10, MAP_ANONYMOUS = 0x20, MAP_NORESERVE = 0x4000 };
enum { MS_NOSUID = 2, MS_NODEV = 4, MS_NOEXEC = 8 };
enum { S_IFCHR = 0020000, F_GETFD = 1, RLIMIT_NOFILE = 7, MFD_CLOEXEC = 1, MFD_EXEC = 0x10 };
enum { CLOCK_MONOTONIC = 1, SIG_SETMASK = 2 };
enum { PAGE = 4096, LIBRARIES = 4 };

static inline long syscall6(long nr, long a, long b, long c, long d, long e, long f)
{
    long result;
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}
#define CALL(nr, a, b, c) syscall6(nr, (long)(a), (long)(b), (long)(c), 0, 0, 0)

/* ---- the few string functions ---- */

void *memcpy(void *to, const void *from, size_t length);

static inline int starts_with(const char *text, const char *prefix)
{
    while (*prefix)
        if (*text++ != *prefix++) return 0;
    return 1;
}

/* Both append at `to` and return the new end, always NUL-terminated. */
static inline char *put(char *to, const char *text)
{
    while ((*to = *text++)) to++;
    return to;
}

static inline char *put_number(char *to, unsigned long number)
{
    char digits[21], *d = digits + sizeof digits - 1;
    *d = 0;
    do *--d = (char)('0' + number % 10); while (number /= 10);
    return put(to, d);
}


/*
 * The packed form of the program, for the image.
 *
 * Of the hundred megabytes of the runtime a boot touches some ten. In an initramfs each one costs the
 * kernel three milliseconds and the machine its memory, so in /init only the pages that a boot needs
 * lie open ("runs"); all the rest is packed in windows of 128 KiB. The program's segments are made of
 * anonymous memory, the runs are mapped over it, and userfaultfd(2) tells a thread of ours when
 * another page is touched, by the program or by the kernel on its behalf. The thread then unpacks the
 * window. It is a plain clone(2) that runs nothing but this file, and ends with the exec.
 *
 * Where the kernel has no userfaultfd all windows are unpacked at once: slower, and otherwise the same.
 */

#include "stub.h"

/* linux/userfaultfd.h */
enum { UFFD_API = 0xaa, UFFD_EVENT_PAGEFAULT = 0x12, UFFDIO_REGISTER_MODE_MISSING = 1 };
#define UFFDIO_API 0xc018aa3ful
#define UFFDIO_REGISTER 0xc020aa00ul
#define UFFDIO_WAKE 0x8010aa02ul
#define UFFDIO_COPY 0xc028aa03ul

/* linux/sched.h */
#define THREAD_FLAGS 0x00050f00ul /* CLONE_VM, FS, FILES, SIGHAND, THREAD, SYSVSEM */

struct pages {
    long uffd;
    int is_init;
    unsigned char *window;              /* WINDOW_SIZE bytes to unpack into */
    struct lzma_space lzma;
    unsigned char stack[16 * 1024] __attribute__((aligned(16)));
};

static void *allocate(int is_init, size_t size)
{
    long at = syscall6(SYS_mmap, 0, (long)size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at < 0 && at > -PAGE) give_up(is_init, "too little memory to unpack the runtime.");
    return (void *)at;
}

static unsigned long region_windows(unsigned long region)
{
    return (config.regions[region].end - config.regions[region].start + WINDOW_SIZE - 1) / WINDOW_SIZE;
}

/* The size of a window of a region; the last one may be shorter. */
static unsigned long window_size(unsigned long region, unsigned long window)
{
    unsigned long left = config.regions[region].end - config.regions[region].start - window * WINDOW_SIZE;
    return left < WINDOW_SIZE ? left : WINDOW_SIZE;
}

static void unpack(struct pages *pages, unsigned long region, unsigned long number, unsigned long size)
{
    const struct stub_blob *window = (const struct stub_blob *)config.windows + number;
    if (window->size == size) { /* did not become smaller */
        memcpy(pages->window, (const void *)window->address, size);
        return;
    }
    if (!lzma_unpack((const unsigned char *)window->address, window->size, pages->window, size, &pages->lzma))
        give_up(pages->is_init, "/init is damaged: a part of the runtime can't be unpacked. Build the image anew.");
    if (config.regions[region].protection & PROT_EXEC) bcj_unfilter(pages->window, size);
}

static void copy_page(struct pages *pages, unsigned long to, const unsigned char *from)
{
    /* Fails where the page is there already or one of the runs is mapped: then there is nothing to do. */
    struct { unsigned long to, from, size, mode; long copied; } copy = { to, (unsigned long)from, PAGE, 0, 0 };
    CALL(SYS_ioctl, pages->uffd, UFFDIO_COPY, &copy);
}

static void report(unsigned long address)
{
    char line[64], *end = put(line, "<7>rdinit-page ");
    end = put(put_number(end, address / PAGE), "\n");
    long fd = CALL(SYS_open, "/dev/kmsg", 1, 0);
    CALL(SYS_write, fd < 0 ? 2 : fd, line + (fd < 0 ? 3 : 0), end - line - (fd < 0 ? 3 : 0));
    if (fd >= 0) CALL(SYS_close, fd, 0, 0);
}

/* Makes the page at `address` appear, and the rest of its window with it. */
static void serve(struct pages *pages, unsigned long address)
{
    unsigned long first = 0;
    for (unsigned long r = 0; r < config.region_count; first += region_windows(r), r++) {
        if (address < config.regions[r].start || address >= config.regions[r].end) continue;
        unsigned long window = (address - config.regions[r].start) / WINDOW_SIZE;
        unsigned long start = config.regions[r].start + window * WINDOW_SIZE, size = window_size(r, window);
        unpack(pages, r, first + window, size);
        if (config.recording) {
            report(address);
            copy_page(pages, address, pages->window + (address - start));
        } else {
            for (unsigned long at = 0; at < size; at += PAGE) copy_page(pages, start + at, pages->window + at);
        }
    }
    unsigned long range[2] = { address, PAGE };
    CALL(SYS_ioctl, pages->uffd, UFFDIO_WAKE, range);
}

/* The thread: for as long as the program lives. */
static __attribute__((noreturn, used)) void serve_for_ever(struct pages *pages)
{
    for (;;) {
        struct { unsigned char event; unsigned char pad[7]; unsigned long flags, address, more; } message;
        if (CALL(SYS_read, pages->uffd, &message, sizeof message) != sizeof message) continue;
        if (message.event == UFFD_EVENT_PAGEFAULT) serve(pages, message.address & ~(PAGE - 1ul));
    }
}

/* clone(2) with a stack of its own. All signals are blocked around it: the thread keeps that mask. */
static int start_thread(struct pages *pages)
{
    unsigned long all = ~0ul, before = 0;
    syscall6(SYS_rt_sigprocmask, 2, (long)&all, (long)&before, 8, 0, 0);
    long result;
    register struct pages *argument __asm__("r12") = pages;
    __asm__ volatile("xor %%edx, %%edx; xor %%r10d, %%r10d; xor %%r8d, %%r8d; syscall\n"
                     "test %%eax, %%eax; jnz 1f\n"
                     "xor %%ebp, %%ebp; mov %%r12, %%rdi; call serve_for_ever\n"
                     "1:"
                     : "=a"(result)
                     : "a"(SYS_clone), "D"(THREAD_FLAGS), "S"(pages->stack + sizeof pages->stack), "r"(argument)
                     : "rcx", "r11", "rdx", "r10", "r8", "memory");
    syscall6(SYS_rt_sigprocmask, 2, (long)&before, 0, 8, 0, 0);
    return result > 0;
}

static int watch(struct pages *pages)
{
    pages->uffd = CALL(SYS_userfaultfd, O_CLOEXEC, 0, 0);
    if (pages->uffd < 0) return 0;
    unsigned long api[3] = { UFFD_API, 0, 0 };
    if (CALL(SYS_ioctl, pages->uffd, UFFDIO_API, api) != 0) return 0;
    for (unsigned long r = 0; r < config.region_count; r++) {
        unsigned long registration[4] = { config.regions[r].start, config.regions[r].end - config.regions[r].start,
                                          UFFDIO_REGISTER_MODE_MISSING, 0 };
        if (CALL(SYS_ioctl, pages->uffd, UFFDIO_REGISTER, registration) != 0) return 0;
    }
    return start_thread(pages);
}

/* Everything now: for a kernel without userfaultfd, and for an ordinary user, who may not have it. */
static void unpack_all(struct pages *pages)
{
    if (pages->uffd >= 0) CALL(SYS_close, pages->uffd, 0, 0);
    unsigned long number = 0;
    for (unsigned long r = 0; r < config.region_count; r++) {
        unsigned long start = config.regions[r].start, end = config.regions[r].end;
        CALL(SYS_mprotect, start, end - start, PROT_READ | PROT_WRITE);
        for (unsigned long w = 0; w < region_windows(r); w++, number++) {
            unpack(pages, r, number, window_size(r, w));
            memcpy((void *)(start + w * WINDOW_SIZE), pages->window, window_size(r, w));
        }
        CALL(SYS_mprotect, start, end - start, config.regions[r].protection);
    }
}

void place_packed_pages(int is_init)
{
    if (config.region_count == 0) return;
    long self = CALL(SYS_open, "/proc/self/exe", O_RDONLY | O_CLOEXEC, 0);
    if (self < 0) give_up(is_init, "/proc/self/exe can't be opened, and the runtime is in there.");
    struct pages *pages = allocate(is_init, sizeof *pages);
    pages->window = allocate(is_init, WINDOW_SIZE);
    pages->is_init = is_init;
    pages->uffd = -1;

    for (unsigned long r = 0; r < config.region_count; r++) {
        unsigned long start = config.regions[r].start;
        long at = syscall6(SYS_mmap, (long)start, (long)(config.regions[r].end - start), (long)config.regions[r].protection,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
        if (at != (long)start) give_up(is_init, "there is no room at the addresses of the runtime.");
    }
    if (!watch(pages)) unpack_all(pages);

    const struct stub_run *runs = (const struct stub_run *)config.runs;
    for (unsigned long i = 0, r = 0; i < config.run_count; i++) {
        while (runs[i].address >= config.regions[r].end) r++; /* both lie in the order of their addresses */
        long at = syscall6(SYS_mmap, (long)runs[i].address, (long)runs[i].size, (long)config.regions[r].protection,
                           MAP_PRIVATE | MAP_FIXED, self, (long)runs[i].file_offset);
        if (at != (long)runs[i].address) give_up(is_init, "too little memory to map the runtime.");
    }
    CALL(SYS_close, self, 0, 0);
}

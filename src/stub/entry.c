/*
 * The first instructions of rdinit.
 *
 * rdinit is a program that Bun compiled: a dynamically linked glibc executable which aborts when
 * /proc is not mounted or /dev/urandom is missing. Process 1 of an initramfs has neither these nor a
 * C library. So link.ts puts this stub and the libraries into the same file and makes the kernel
 * enter here. The stub
 *
 *   1. as process 1: mounts /proc and /dev, and stops with a sentence if /init itself was cut short;
 *   2. opens file descriptors 0 to 2 where the kernel left them closed;
 *   3. builds a new environment: the kernel's command line can set any variable, and BUN_*, LD_* and
 *      their like would take over the runtime (the originals stay readable in /proc/self/environ);
 *   4. puts the C libraries into memfds and names them to the dynamic loader by LD_PRELOAD, where
 *      they satisfy DT_NEEDED by their SONAME;
 *   5. maps the dynamic loader, corrects the auxiliary vector so that the loader sees the program as
 *      if the kernel had started both, and jumps.
 *
 * Freestanding C: no libc, no writable globals, no relocations. The layout of the initial stack is
 * that of the System V ABI (x86-64 psABI 3.4.1), system calls are those of syscalls(2).
 */

#include <elf.h>

#include "stub.h"

/* Filled in by link.ts, which finds it by its magic. */
const struct stub_config config_words = { .magic = STUB_MAGIC };

/* The compiler may emit calls of these two by itself. */

void *memcpy(void *to, const void *from, size_t length)
{
    void *start = to;
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(length) : : "memory");
    return start;
}

void *memset(void *to, int value, size_t length)
{
    void *start = to;
    __asm__ volatile("rep stosb" : "+D"(to), "+c"(length) : "a"(value) : "memory");
    return start;
}

/* ---- the end, when the runtime can't be started ---- */

/* Says why on the console and does what panic= asks for (kernel-parameters: seconds, 0 waits for ever). */
void give_up(int is_init, const char *why)
{
    char line[512], *end = put(put(line, "rdinit: "), why);
    end = put(end, "\n");
    long console = is_init ? CALL(SYS_open, "/dev/console", O_RDWR | O_NOCTTY, 0) : -1;
    CALL(SYS_write, console < 0 ? 2 : console, line, end - line);
    if (!is_init) for (;;) CALL(SYS_exit, 127, 0, 0);

    char seconds[16] = "";
    long fd = CALL(SYS_open, "/proc/sys/kernel/panic", O_RDONLY, 0);
    if (fd >= 0) CALL(SYS_read, fd, seconds, sizeof seconds - 1);
    long wait = 0;
    for (char *c = seconds; *c >= '0' && *c <= '9' && wait < 1000000; c++) wait = wait * 10 + (*c - '0');
    if (wait > 0 || seconds[0] == '-') {
        long timespec[2] = { wait, 0 };
        CALL(SYS_nanosleep, timespec, 0, 0);
        CALL(SYS_reboot, 0xfee1dead, 672274793, 0x01234567);
    }
    for (;;) CALL(SYS_pause, 0, 0, 0);
}

/* ---- 1: what the runtime needs of the file tree ---- */

static void mount_base(void)
{
    /* Failures show in what the checks below can't find: the mounts may be there already. */
    CALL(SYS_mkdir, "/proc", 0555, 0);
    CALL(SYS_mkdir, "/dev", 0755, 0);
    syscall6(SYS_mount, (long)"proc", (long)"/proc", (long)"proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, 0, 0);
    syscall6(SYS_mount, (long)"devtmpfs", (long)"/dev", (long)"devtmpfs", 0, (long)"mode=0755", 0);

    static const struct { char path[16]; unsigned mode, major, minor; } nodes[] = {
        { "/dev/null", 0666, 1, 3 },
        { "/dev/urandom", 0666, 1, 9 },
        { "/dev/kmsg", 0644, 1, 11 },
        { "/dev/console", 0600, 5, 1 },
    };
    /* Without devtmpfs in the kernel; where it is mounted they exist. */
    for (size_t i = 0; i < sizeof nodes / sizeof nodes[0]; i++)
        CALL(SYS_mknod, nodes[i].path, S_IFCHR | nodes[i].mode, nodes[i].major << 8 | nodes[i].minor);
}

static void check_whole(void)
{
    unsigned long stat[18]; /* struct stat of x86-64: st_size is the seventh word */
    if (CALL(SYS_stat, "/proc/self/exe", stat, 0) != 0)
        give_up(1, "/proc can't be mounted or /proc/self/exe can't be read; the kernel needs CONFIG_PROC_FS.");
    if (stat[6] >= config.file_size) return;
    char why[256];
    char *end = put_number(put(why, "/init is cut short: "), stat[6]);
    end = put_number(put(end, " of "), config.file_size);
    put(end, " bytes. The initramfs was not unpacked whole: the image is truncated, or the machine"
             " has too little memory for it. Boot another image, or give the machine more memory.");
    give_up(1, why);
}

/* Bun is compiled for x86-64-v2; on a lesser processor its first such instruction would kill process 1. */
static void check_processor(int is_init)
{
    enum { SSSE3 = 1 << 9, SSE4_1 = 1 << 19, SSE4_2 = 1 << 20, POPCNT = 1 << 23 };
    unsigned eax = 1, ebx, ecx, edx, needed = SSSE3 | SSE4_1 | SSE4_2 | POPCNT;
    __asm__("cpuid" : "+a"(eax), "=b"(ebx), "=c"(ecx), "=d"(edx));
    if ((ecx & needed) != needed)
        give_up(is_init, "this processor lacks SSE4.2 or POPCNT, without which the runtime can't run (x86-64-v2)."
                         " In QEMU give it another model than the default, such as -cpu max.");
}

static void open_stdio(int is_init)
{
    for (long fd = 0; fd <= 2; fd++) {
        if (CALL(SYS_fcntl, fd, F_GETFD, 0) >= 0) continue;
        /* The lowest free number is fd, as all below are open. */
        if (is_init && CALL(SYS_open, "/dev/console", O_RDWR | O_NOCTTY, 0) >= 0) continue;
        CALL(SYS_open, "/dev/null", O_RDWR | O_NOCTTY, 0);
    }
}

/* ---- 3: the environment ---- */

/* What an ordinary user's environment must not do to the runtime either. */
static int is_hostile(const char *variable)
{
    static const char prefixes[][16] = {
        "BUN_", "LD_", "MIMALLOC_", "MALLOC_", "GLIBC_TUNABLES", "JSC_", "NODE_", "GCONV_PATH", "LOCPATH",
        "RDINIT_NOFILE=", "UV_",
    };
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++)
        if (starts_with(variable, prefixes[i])) return 1;
    return 0;
}

/*
 * A boot is over before optimized code could pay for its making, and compiling on the one thread that
 * waits for it makes every boot the same.
 */
static const char runtime_settings[][32] = { "BUN_JSC_useDFGJIT=0", "BUN_JSC_useConcurrentJIT=0" };

/* Bun gives the pages of its script back to the file, and in the packed form they may have come from elsewhere. */
static const char packed_setting[] = "BUN_FEATURE_FLAG_DISABLE_STANDALONE_MADVISE=1";

/* ---- 4 and 5: libraries and loader ---- */

static long memory_file(int number)
{
    long fd = CALL(SYS_memfd_create, "rdinit", MFD_CLOEXEC | MFD_EXEC, 0);
    if (fd < 0) fd = CALL(SYS_memfd_create, "rdinit", MFD_CLOEXEC, 0);
    if (fd >= 0) return fd;
    /* A kernel without CONFIG_MEMFD_CREATE: an unlinked file in the rootfs does as well. */
    char path[32];
    put_number(put(path, "/.rdinit-library-"), number);
    fd = CALL(SYS_open, path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0700);
    if (fd >= 0) CALL(SYS_unlink, path, 0, 0);
    return fd;
}

static long open_library(int is_init, int number)
{
    const char *from = (const char *)config.libraries[number].address;
    unsigned long left = config.libraries[number].size;
    long fd = memory_file(number);
    if (fd < 0) give_up(is_init, "no memory file for the C library: the kernel refuses memfd_create(2).");
    while (left) {
        long written = CALL(SYS_write, fd, from, left);
        if (written <= 0) give_up(is_init, "too little memory to unpack the C library.");
        from += written;
        left -= (unsigned long)written;
    }
    return fd;
}

/* Maps the dynamic loader (a position-independent ELF in memory) and returns its base address. */
static unsigned long map_loader(int is_init)
{
    const char *image = (const char *)config.loader.address;
    const Elf64_Ehdr *header = (const Elf64_Ehdr *)image;
    const Elf64_Phdr *segments = (const Elf64_Phdr *)(image + header->e_phoff);
    unsigned long span = 0;
    for (int i = 0; i < header->e_phnum; i++)
        if (segments[i].p_type == PT_LOAD && segments[i].p_vaddr + segments[i].p_memsz > span)
            span = segments[i].p_vaddr + segments[i].p_memsz;

    long base = syscall6(SYS_mmap, 0, (long)span, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (base < 0 && base > -PAGE) give_up(is_init, "too little memory to map the dynamic loader.");
    for (int i = 0; i < header->e_phnum; i++) {
        if (segments[i].p_type != PT_LOAD) continue;
        unsigned long at = (unsigned long)base + segments[i].p_vaddr;
        memcpy((void *)at, image + segments[i].p_offset, segments[i].p_filesz);
        unsigned long page = at & ~(PAGE - 1ul);
        int protection = (segments[i].p_flags & PF_R ? PROT_READ : 0) | (segments[i].p_flags & PF_W ? PROT_WRITE : 0)
                       | (segments[i].p_flags & PF_X ? PROT_EXEC : 0);
        CALL(SYS_mprotect, page, at + segments[i].p_memsz - page, protection);
    }
    return (unsigned long)base;
}

/* ---- the way through ---- */

__attribute__((noreturn, used))
void stub_main(unsigned long *stack)
{
    unsigned long argc = stack[0];
    char **argv = (char **)(stack + 1), **envp = argv + argc + 1, **past_env = envp;
    while (*past_env) past_env++;
    Elf64_auxv_t *auxv = (Elf64_auxv_t *)(past_env + 1), *past_auxv = auxv;
    while (past_auxv->a_type != AT_NULL) past_auxv++;

    int is_init = CALL(SYS_getpid, 0, 0, 0) == 1;
    unsigned long started[2] = { 0, 0 }; /* seconds, nanoseconds */
    CALL(SYS_clock_gettime, CLOCK_MONOTONIC, started, 0);
    if (is_init) {
        mount_base();
        /* systemd executes the exitrd with signals blocked that the runtime needs; from the kernel it is a no-op. */
        unsigned long none = 0;
        syscall6(SYS_rt_sigprocmask, SIG_SETMASK, (long)&none, 0, sizeof none, 0, 0);
    }
    open_stdio(is_init);
    check_processor(is_init);
    if (is_init) check_whole();

    /* One block holds the new vector and, above it, its new strings: below it the loader's stack grows. */
    size_t words = 1 + argc + 1 + (size_t)(past_env - envp) + 8 + 2 * (size_t)(past_auxv - auxv + 1);
    enum { STRINGS = 512 };
    char block[words * sizeof(long) + STRINGS] __attribute__((aligned(16)));
    unsigned long *out = (unsigned long *)block;
    char *strings = block + words * sizeof(long);

    *out++ = argc;
    for (unsigned long i = 0; i < argc; i++) *out++ = (unsigned long)argv[i];
    *out++ = 0;

    *out++ = (unsigned long)strings;
    strings = put(strings, "LD_PRELOAD=");
    for (int i = 0; i < LIBRARIES; i++) {
        strings = put(strings, i ? ":/proc/self/fd/" : "/proc/self/fd/");
        strings = put_number(strings, (unsigned long)open_library(is_init, i));
    }
    strings++;
    if (is_init) {
        /* The runtime raises this limit; the hand-over puts it back. */
        unsigned long limit[2] = { 1024, 4096 };
        syscall6(SYS_prlimit64, 0, RLIMIT_NOFILE, 0, (long)limit, 0, 0);
        *out++ = (unsigned long)strings;
        strings = put_number(put(strings, "RDINIT_NOFILE="), limit[0]);
        strings = put_number(put(strings, ":"), limit[1]);
        /* When the early userspace began, for the init behind it. */
        *out++ = (unsigned long)++strings;
        strings = put_number(put(strings, "RDINIT_STARTED="), started[0] * 1000000000ul + started[1]);
        for (size_t i = 0; i < sizeof runtime_settings / sizeof runtime_settings[0]; i++)
            *out++ = (unsigned long)runtime_settings[i];
    } else {
        for (char **e = envp; *e; e++)
            if (!is_hostile(*e)) *out++ = (unsigned long)*e;
    }
    if (config.region_count > 0) *out++ = (unsigned long)packed_setting;
    *out++ = 0;

    place_packed_pages(is_init);
    unsigned long base = map_loader(is_init);
    for (Elf64_auxv_t *a = auxv; a <= past_auxv; a++) {
        unsigned long value = a->a_un.a_val;
        switch (a->a_type) {
        case AT_BASE: value = base; break;
        case AT_ENTRY: value = config.program_entry; break;
        case AT_PHDR: value = config.program_headers; break;
        case AT_PHNUM: value = config.program_header_count; break;
        }
        *out++ = a->a_type;
        *out++ = value;
    }

    unsigned long loader_entry = base + ((const Elf64_Ehdr *)config.loader.address)->e_entry;
    /* %rdx is the function to register with atexit: none (psABI 3.4.1). */
    __asm__ volatile("mov %0, %%rsp; xor %%edx, %%edx; xor %%ebp, %%ebp; jmp *%1"
                     : : "r"(block), "r"(loader_entry) : "memory");
    __builtin_unreachable();
}

__asm__(".globl _start\n"
        "_start: mov %rsp, %rdi\n"
        "        and $-16, %rsp\n"
        "        call stub_main\n");

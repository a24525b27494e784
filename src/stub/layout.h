/* What link.ts writes into the stub: little-endian 64-bit words behind the magic, in this order. */

#pragma once

#define STUB_MAGIC "RDINITSTUBCONFIG"

struct stub_blob {
    unsigned long address, size;
};

struct stub_config {
    char magic[16];
    unsigned long file_size;            /* of the whole file: a shorter one was cut */
    unsigned long build;                /* the same in both forms of one program (identity.ts) */
    unsigned long program_entry;        /* where Bun's own code begins */
    unsigned long program_headers;      /* address of the original program headers, mapped with the program */
    unsigned long program_header_count;
    struct stub_blob loader;            /* ld-linux */
    struct stub_blob libraries[4];      /* libc, libm, libdl, libpthread */

    /* The packed form (pages.c); region_count is 0 in the plain one. */
    unsigned long region_count;
    struct stub_region {
        unsigned long start, end;       /* page-aligned addresses: of one segment of the program, or of its script */
        unsigned long protection;       /* of mmap(2) */
    } regions[3];
    unsigned long run_count, runs;      /* address of struct stub_run[]: what is stored as it is */
    unsigned long window_count, windows; /* address of struct stub_blob[]: one LZMA stream a window */
    unsigned long recording;            /* 1: report each first touch of a page, to learn which are hot */
};

/* Pages that lie in this file as they are: the ones that every boot needs. */
struct stub_run {
    unsigned long address, size, file_offset;
};

/* The windows of a region follow each other, those of the first region come first. Machine code is filtered (bcj.c). */
#define WINDOW_SIZE (1ul << 17)

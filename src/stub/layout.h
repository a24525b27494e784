/* What link.ts writes into the stub: little-endian 64-bit words behind the magic, in this order. */

#define STUB_MAGIC "RDINITSTUBCONFIG"

struct stub_blob {
    unsigned long address, size;
};

struct stub_config {
    char magic[16];
    unsigned long file_size;            /* of the whole file: a shorter one was cut */
    unsigned long program_entry;        /* where Bun's own code begins */
    unsigned long program_headers;      /* address of the original program headers, mapped with the program */
    unsigned long program_header_count;
    struct stub_blob loader;            /* ld-linux */
    struct stub_blob libraries[4];      /* libc, libm, libdl, libpthread */
};

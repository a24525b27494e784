/*
 * Takes back xz's filter for x86 (--x86): in front of LZMA it turns the distances of calls and jumps into the
 * addresses that they lead to, and calls of one function from many places then look alike.
 * Follows the filter in the kernel's lib/xz/xz_dec_bcj.c (bcj_x86), for a whole stream that begins at address 0.
 */

#include "stub.h"

/* Whether the highest byte of an address is that of a near place: all bits alike. */
static int is_near(unsigned char byte)
{
    return byte == 0x00 || byte == 0xff;
}

void bcj_unfilter(unsigned char *bytes, size_t size)
{
    /* By the three bits that tell which of the last three bytes looked like an opcode. */
    static const unsigned char is_allowed[8] = { 1, 1, 1, 0, 1, 0, 0, 0 };
    static const unsigned char doubtful_byte[8] = { 0, 1, 2, 2, 3, 3, 3, 3 };
    typedef unsigned address __attribute__((aligned(1), may_alias));
    unsigned mask = 0;
    size_t last = (size_t)-1;

    if (size <= 4) return;
    for (size_t at = 0; at < size - 4; at++) {
        if ((bytes[at] & 0xfe) != 0xe8) continue; /* call, jmp */
        size_t distance = at - last;
        if (distance > 3) {
            mask = 0;
        } else {
            mask = mask << (distance - 1) & 7;
            if (mask != 0 && (!is_allowed[mask] || is_near(bytes[at + 4 - doubtful_byte[mask]]))) {
                last = at;
                mask = mask << 1 | 1;
                continue;
            }
        }
        last = at;
        if (!is_near(bytes[at + 4])) {
            mask = mask << 1 | 1;
            continue;
        }
        unsigned from = *(address *)(bytes + at + 1), to;
        for (;;) {
            to = from - (unsigned)(at + 5);
            if (mask == 0) break;
            unsigned shift = doubtful_byte[mask] * 8u;
            if (!is_near((unsigned char)(to >> (24 - shift)))) break;
            from = to ^ ((1u << (32 - shift)) - 1);
        }
        *(address *)(bytes + at + 1) = (to & 0x1ffffff) | (0u - (to & 0x1000000));
        at += 4;
    }
}

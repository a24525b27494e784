/*
 * A decoder of raw LZMA1 streams with lc=3, lp=0, pb=2, into a buffer that holds the whole output.
 * Follows the LZMA specification (Igor Pavlov, 2015). Every read and write is bounds-checked.
 */

#include "stub.h"

enum { STATES = 12, POSITION_BITS = 2, LENGTH_STATES = 4, ALIGN_BITS = 4, FULL_DISTANCES = 128, END_POSITION = 14 };

/* The tables of probabilities, one behind the other. */
enum {
    IS_MATCH = 0,
    IS_REP = IS_MATCH + (STATES << POSITION_BITS),
    IS_REP_G0 = IS_REP + STATES,
    IS_REP_G1 = IS_REP_G0 + STATES,
    IS_REP_G2 = IS_REP_G1 + STATES,
    IS_REP0_LONG = IS_REP_G2 + STATES,
    SLOTS = IS_REP0_LONG + (STATES << POSITION_BITS),
    SPECIAL = SLOTS + LENGTH_STATES * 64,
    ALIGN = SPECIAL + 1 + FULL_DISTANCES - END_POSITION,
    LENGTHS = ALIGN + (1 << ALIGN_BITS),
    LENGTH_TABLE = 2 + 2 * (8 << POSITION_BITS) + 256,
    REP_LENGTHS = LENGTHS + LENGTH_TABLE,
    LITERALS = REP_LENGTHS + LENGTH_TABLE,
    TOTAL = LITERALS + (0x300 << 3),
};
_Static_assert(TOTAL <= sizeof(struct lzma_space) / sizeof(short), "struct lzma_space holds the tables");

/* All in one function: then the words of struct decoder are registers, which saves a quarter of the instructions. */
#define INLINE static inline __attribute__((always_inline))

struct decoder {
    const unsigned char *in, *in_end;
    unsigned range, code;
    int starved;                        /* wanted more than there was */
    unsigned short *p;
};

INLINE unsigned next_byte(struct decoder *d)
{
    if (d->in < d->in_end) return *d->in++;
    d->starved = 1;
    return 0;
}

INLINE void normalize(struct decoder *d)
{
    if (d->range < 1u << 24) {
        d->range <<= 8;
        d->code = d->code << 8 | next_byte(d);
    }
}

INLINE unsigned bit(struct decoder *d, unsigned index)
{
    unsigned short *p = d->p + index;
    unsigned bound = (d->range >> 11) * *p, result;
    if (d->code < bound) {
        *p = (unsigned short)(*p + ((2048 - *p) >> 5));
        d->range = bound;
        result = 0;
    } else {
        *p = (unsigned short)(*p - (*p >> 5));
        d->code -= bound;
        d->range -= bound;
        result = 1;
    }
    normalize(d);
    return result;
}

INLINE unsigned tree(struct decoder *d, unsigned index, int bits)
{
    unsigned m = 1;
    for (int i = 0; i < bits; i++) m = m << 1 | bit(d, index + m);
    return m - (1u << bits);
}

INLINE unsigned reverse_tree(struct decoder *d, unsigned index, int bits)
{
    unsigned m = 1, symbol = 0;
    for (int i = 0; i < bits; i++) {
        unsigned b = bit(d, index + m);
        m = m << 1 | b;
        symbol |= b << i;
    }
    return symbol;
}

INLINE unsigned direct(struct decoder *d, int bits)
{
    unsigned result = 0;
    while (bits-- > 0) {
        d->range >>= 1;
        unsigned b = d->code >= d->range;
        if (b) d->code -= d->range;
        normalize(d);
        result = result << 1 | b;
    }
    return result;
}

INLINE unsigned match_length(struct decoder *d, unsigned table, unsigned position)
{
    if (!bit(d, table)) return 2 + tree(d, table + 2 + (position << 3), 3);
    if (!bit(d, table + 1)) return 10 + tree(d, table + 2 + (8 << POSITION_BITS) + (position << 3), 3);
    return 18 + tree(d, table + 2 + 2 * (8 << POSITION_BITS), 8);
}

INLINE unsigned match_distance(struct decoder *d, unsigned length)
{
    unsigned state = length - 2 < LENGTH_STATES - 1 ? length - 2 : LENGTH_STATES - 1;
    unsigned slot = tree(d, SLOTS + state * 64, 6);
    if (slot < 4) return slot;
    int bits = (int)(slot >> 1) - 1;
    unsigned distance = (2 | (slot & 1)) << bits;
    if (slot < END_POSITION) return distance + reverse_tree(d, SPECIAL + distance - slot, bits);
    distance += direct(d, bits - ALIGN_BITS) << ALIGN_BITS;
    return distance + reverse_tree(d, ALIGN, ALIGN_BITS);
}

INLINE unsigned literal(struct decoder *d, const unsigned char *to, size_t at, unsigned state, unsigned rep0)
{
    unsigned table = LITERALS + 0x300 * (at ? to[at - 1] >> 5 : 0), symbol = 1;
    if (state >= 7) {
        unsigned match = to[at - rep0 - 1];
        do {
            unsigned match_bit = match >> 7 & 1;
            match <<= 1;
            unsigned b = bit(d, table + ((1 + match_bit) << 8) + symbol);
            symbol = symbol << 1 | b;
            if (match_bit != b) break;
        } while (symbol < 0x100);
    }
    while (symbol < 0x100) symbol = symbol << 1 | bit(d, table + symbol);
    return symbol & 0xff;
}

int lzma_unpack(const unsigned char *from, size_t packed, unsigned char *to, size_t size, struct lzma_space *space)
{
    struct decoder d = { from, from + packed, ~0u, 0, 0, space->probabilities };
    for (int i = 0; i < TOTAL; i++) d.p[i] = 1024;
    if (next_byte(&d) != 0) return 0;
    for (int i = 0; i < 4; i++) d.code = d.code << 8 | next_byte(&d);

    unsigned state = 0, rep0 = 0, rep1 = 0, rep2 = 0, rep3 = 0;
    for (size_t at = 0; at < size;) {
        unsigned position = at & ((1 << POSITION_BITS) - 1), length;
        if (!bit(&d, IS_MATCH + (state << POSITION_BITS) + position)) {
            to[at] = (unsigned char)literal(&d, to, at, state, rep0);
            at++;
            state = state < 4 ? 0 : state < 10 ? state - 3 : state - 6;
            continue;
        }
        if (!bit(&d, IS_REP + state)) {
            rep3 = rep2, rep2 = rep1, rep1 = rep0;
            length = match_length(&d, LENGTHS, position);
            rep0 = match_distance(&d, length);
            state = state < 7 ? 7 : 10;
        } else {
            if (!bit(&d, IS_REP_G0 + state)) {
                if (!bit(&d, IS_REP0_LONG + (state << POSITION_BITS) + position)) {
                    if (rep0 >= at) return 0;
                    to[at] = to[at - rep0 - 1];
                    at++;
                    state = state < 7 ? 9 : 11;
                    continue;
                }
            } else {
                unsigned distance = rep1;
                if (bit(&d, IS_REP_G1 + state)) {
                    distance = rep2;
                    if (bit(&d, IS_REP_G2 + state)) distance = rep3, rep3 = rep2;
                    rep2 = rep1;
                }
                rep1 = rep0;
                rep0 = distance;
            }
            length = match_length(&d, REP_LENGTHS, position);
            state = state < 7 ? 8 : 11;
        }
        if (d.starved || rep0 >= at || length > size - at) return 0;
        for (; length > 0; length--, at++) to[at] = to[at - rep0 - 1];
    }
    /* xz marks the end, a match at the greatest distance. Where a stream is damaged it is hardly ever there. */
    unsigned position = size & ((1 << POSITION_BITS) - 1);
    if (!bit(&d, IS_MATCH + (state << POSITION_BITS) + position) || bit(&d, IS_REP + state)) return 0;
    unsigned length = match_length(&d, LENGTHS, position);
    return match_distance(&d, length) == ~0u && d.code == 0 && !d.starved && d.in == d.in_end;
}

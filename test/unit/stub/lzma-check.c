/* Feeds src/stub/lzma.c from standard input: cases of two words (packed size, size) and the packed bytes. */

#include <stdio.h>
#include <stdlib.h>

#include "../../../src/stub/lzma.c"

int main(void)
{
    unsigned sizes[2];
    static struct lzma_space space;
    while (fread(sizes, sizeof sizes, 1, stdin) == 1) {
        /* Exactly as large as they are, so that the sanitizer sees a step beyond. */
        unsigned char *packed = malloc(sizes[0] ? sizes[0] : 1), *out = calloc(1, sizes[1] ? sizes[1] : 1);
        if (fread(packed, 1, sizes[0], stdin) != sizes[0]) return 1;
        unsigned char good = (unsigned char)lzma_unpack(packed, sizes[0], out, sizes[1], &space);
        fwrite(&good, 1, 1, stdout);
        fwrite(out, 1, sizes[1], stdout);
        free(packed);
        free(out);
    }
    return 0;
}

/* Unfilters what comes from standard input. */

#include <stdio.h>
#include <stdlib.h>

#include "../../../src/stub/bcj.c"

int main(void)
{
    static unsigned char all[1 << 20];
    size_t size = fread(all, 1, sizeof all, stdin);
    /* Exactly as large as it is, so that the sanitizer sees a step beyond. */
    unsigned char *bytes = malloc(size ? size : 1);
    for (size_t i = 0; i < size; i++) bytes[i] = all[i];
    bcj_unfilter(bytes, size);
    fwrite(bytes, 1, size, stdout);
    free(bytes);
    return 0;
}

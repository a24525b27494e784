/*
 * Counts the copies of a passphrase in what process 1 has written to memory: a hook. Pages that were never touched are
 * passed over, by /proc/1/pagemap, as the runtime reserves far more than it uses.
 */

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PAGE 4096
#define ENTRIES 65536
#define SECRET "correct horse"

int main(void)
{
	FILE *maps = fopen("/proc/1/maps", "r");
	int memory = open("/proc/1/mem", O_RDONLY), pagemap = open("/proc/1/pagemap", O_RDONLY);
	static char buffer[PAGE + sizeof SECRET];
	static uint64_t entries[ENTRIES];
	char line[512], modes[5];
	unsigned long start, end, inode, pages = 0, copies = 0;
	while (maps != NULL && fgets(line, sizeof line, maps) != NULL) {
		if (sscanf(line, "%lx-%lx %4s %*s %*s %lu", &start, &end, modes, &inode) != 4 || modes[1] != 'w')
			continue;
		/* What stands before a page, for a copy that lies across. */
		size_t kept = 0;
		for (unsigned long at = start; at < end; at += PAGE) {
			unsigned long here = (at - start) / PAGE % ENTRIES;
			if (here == 0) {
				memset(entries, 0, sizeof entries);
				if (pread(pagemap, entries, sizeof entries, at / PAGE * sizeof *entries) < 0)
					return 1;
			}
			if (entries[here] >> 62 == 0 || pread(memory, buffer + kept, PAGE, at) != PAGE) {
				kept = 0;
				continue;
			}
			pages++;
			size_t length = kept + PAGE;
			char *found = buffer;
			while ((found = memmem(found, buffer + length - found, SECRET, strlen(SECRET))) != NULL) {
				copies++;
				found++;
			}
			kept = strlen(SECRET) - 1;
			memmove(buffer, buffer + length - kept, kept);
		}
	}
	printf("%s, copies: %lu\n", pages > 1000 ? "searched" : "not searched", copies);
	return 0;
}

/* The parts of the probe (probe.c says what it is). */

#ifndef PROBE_H
#define PROBE_H

#include <stddef.h>
#include <sys/types.h>

/* emit.c: lines `key=value`, kept in memory until all is measured. */

/* One line. Bytes outside printable ASCII become \xNN, in the key '=' and space too. */
void emit_bytes(const char *key, const char *value, size_t length);
void emit(const char *key, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A key made by printf's rules; the last eight results stay valid. */
const char *keyf(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* "ok" or the errno's name of a call that returned `result`. */
const char *outcome(long result);
/* The file's bytes, at most `size` - 1, NUL behind; -1 when it can't be read. */
ssize_t slurp(const char *path, char *buffer, size_t size);
/* One line with the file's content, or with why it can't be read; a last newline is left out. */
void emit_file(const char *key, const char *path);
/* Writes all lines between the markers to `fd`. */
void flush_to(int fd);

/* task.c: what system calls tell without /proc; opens nothing. */
void probe_descriptors(void);
void probe_task(char **argv, char **envp);
void probe_terminal(void);

/* proc.c: what /proc tells. */
void probe_memory(void);
void probe_mounts(int own_proc);
void probe_status(void);
void probe_processes(void);
void probe_kernel(void);

/* tree.c: names and knobs. */
void probe_listing(const char *top);
void probe_sysctl(void);
/* The sorted names in a folder and their count, -1 when it can't be read; . and .. are left out. */
int sorted_names(const char *path, char ***names);

/* net.c */
void probe_network(void);

#endif

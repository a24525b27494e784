/**
 * What the hand-over allows to differ between a real init that the kernel started and one that rdinit did.
 * Everything that no line here names must be the same.
 */

import type { Rule } from "../probe.ts";

/**
 * How far free memory may lie below that of a direct start; page tables and slabs never come back to the last
 * page.
 */
const MEMORY_SLACK_KB = 4096;

/**
 * The kernel sizes many things by the memory that is free when it starts, and the packed image takes some of
 * that.
 */
const SIZED_BY_MEMORY =
  "the kernel sizes it by the memory that is free at its start, when the packed image still takes some";

const SIZES: readonly RegExp[] = [
  /^rlimit\.(nproc|sigpending)$/,
  /^sys\.fs\/(epoll\/max_user_watches|file-max|inotify\/max_user_watches|fanotify\/max_user_marks)$/,
  /^sys\.kernel\/(threads-max|shmmni|msgmni)$/,
  /^sys\.net\/ipv4\/(inet_peer_threshold|tcp_mem|tcp_rmem|tcp_wmem|udp_mem|tcp_max_orphans|tcp_max_tw_buckets)$/,
  /^sys\.net\/ipv4\/tcp_max_syn_backlog$/,
  /^sys\.net\/(ipv6\/route\/max_size|netfilter\/nf_conntrack_\w+|nf_conntrack_max)$/,
  /^sys\.user\/max_\w+$/,
  /^sys\.vm\/(min_free_kbytes|user_reserve_kbytes|admin_reserve_kbytes|lowmem_reserve_ratio)$/,
  /^mount\.\/dev\.super$/,
];

/** The rules for a root on a local disk. */
export const HANDOVER_RULES: readonly Rule[] = [
  { key: /^boottime$/, why: "the initramfs takes its time" },
  { key: /^sysinfo\.free$/, why: "memory.free counts the per-CPU lists too and stands for it" },
  {
    key: /^memory\.(free|Cached|AnonPages|Shmem|Unevictable)$/,
    why: `within ${MEMORY_SLACK_KB} kB`,
    allows: (direct, through) => Math.abs(Number(direct) - Number(through)) <= MEMORY_SLACK_KB,
  },
  {
    key: /^status\.FDSize$/,
    why: "the kernel keeps the table of descriptors as large as the runtime once needed it; nothing is in it",
  },
  { key: /^memory\.(MemFree|lists)$/, why: "memory.free is their sum" },
  ...SIZES.map((key): Rule => ({ key, why: SIZED_BY_MEMORY, allows: sameButForSize })),
  {
    key: /^mounted\.(dev|proc|sys|run)$/,
    why: "they are mounted already",
    allows: (_, through) => through === "yes",
  },
  {
    key: /^mounts\.count$/,
    why: "/dev, /proc, /sys and /run are mounted already",
    allows: (direct, through) => Number(through) <= Number(direct) + 4,
  },
  {
    key: /^mount\.\/(dev|proc|sys|run)\.parent$/,
    why: "mounted already, on the real root",
    allows: (direct, through) => direct === undefined && through === "/",
  },
  {
    key: /^mount\.\/(dev|proc|sys)\.(dev|root|options|propagation|type|source|super|statfs)$/,
    why: "mounted already",
    allows: (direct) => direct === undefined,
  },
  {
    key: /^mount\.\/run\.(dev|root|propagation|source|statfs)$/,
    why: "mounted already",
    allows: (direct) => direct === undefined,
  },
  {
    key: /^mount\.\/run\.(type|options|super)$/,
    why: "mounted already: a tmpfs with mode 0755, nosuid and nodev, from which programs may run",
    allows: (direct, through) =>
      direct === undefined &&
      /^(tmpfs|rw,nosuid,nodev(,relatime)?|rw(,[a-z_]+=\w+)*,mode=755(,[a-z_]+=?\w*)*)$/.test(through ?? ""),
  },
  {
    key: /^mount\.\/\.source$/,
    why: "the kernel calls its own root mount /dev/root",
    allows: (direct, through) => direct === "/dev/root" && through?.startsWith("/dev/") === true,
  },
  { key: /^dir\.\/(proc|sys|run|dev)$/, why: "the mounted folder is seen, not the one below it" },
  {
    key: /^dir\.\/run\/(udev|udev\/data|udev\/data\/b\d+:\d+|mdadm|mdadm\/map)$/,
    why: "later stages need udev's entries for mappings, and mdadm its map",
    allows: (direct) => direct === undefined,
  },
  {
    key: /^fd\.[012]\.node$/,
    why: "the kernel opens the console in the rootfs, before any root is mounted",
  },
  {
    key: /^fd\.[012]\.flags$/,
    why: "every open from user space on a 64-bit kernel bears O_LARGEFILE",
    allows: (direct, through) =>
      (Number.parseInt(direct ?? "", 8) | 0o100000) === Number.parseInt(through ?? "", 8),
  },
];

/** Further rules for a root on arrays, volumes or encryption: it is another device, and so are those it stands on. */
export const STACKED_RULES: readonly Rule[] = [
  { key: /^(cwd\.node|root\.node|mount\.\/\.dev)$/, why: "the root is another device" },
  {
    key: /^dir\.\/dev\/(dm-\d+|md\d*|md\/\w+|mapper\/[\w-]+|bootgroup|bootgroup\/[\w-]+)$/,
    why: "these are the devices it stands on",
    allows: (direct) => direct === undefined,
  },
  {
    key: /^memory\.Mlocked$/,
    why: "what cryptsetup had locked is counted until a batch of fifteen pages is full, one for each CPU (mm/mlock.c)",
    allows: (_, through) => Number(through) <= 4 * 60,
  },
  {
    key: /^kernel\.mdstat$/,
    why: "the array runs",
    allows: (_, through) => through?.includes(" : active ") === true,
  },
];

/**
 * Further rules when the init to compare with is one that the kernel started from the rootfs, as a kernel
 * whose drivers are modules can't start one from a disk. What differs then is the root, and what the modules
 * bring.
 */
export const ROOTFS_RULES: readonly Rule[] = [
  {
    key: /^mount\.\/\.(parent|dev|options|type|source|super|statfs)$/,
    why: "the root is another filesystem",
  },
  { key: /^dir\.\/(?!(proc|sys|run)\/)/, why: "the root holds other files, and /dev is a devtmpfs" },
  { key: /^self\.(cmdline|exe)$/, why: "its init has another path" },
  { key: /^(argv\.0|execfn)$/, why: "its init has another path" },
  { key: /^(cwd|root)\.node$/, why: "the root is another filesystem" },
  { key: /^kernel\.cmdline$/, why: "it names the root" },
  // Both have an image then, and either may be the larger.
  ...SIZES.map((key): Rule => ({ key, why: SIZED_BY_MEMORY, allows: (a, b) => sameButForSize(b, a) })),
  { key: /^modules?\./, why: "the drivers are modules" },
  { key: /^sys\.dev\//, why: "the drivers' own settings" },
  {
    key: /^memory\.(free|MemTotal)$/,
    why: "the modules, and what was read of the disk, are in memory",
    allows: (direct, through) => Math.abs(Number(direct) - Number(through)) <= MODULES_KB,
  },
];

/** What the drivers of a disk and its filesystem may take in all. */
const MODULES_KB = 16 * 1024;

/** The same text, but for numbers that may be up to half smaller. */
function sameButForSize(direct: string | undefined, through: string | undefined): boolean {
  if (direct === undefined || through === undefined) return false;
  if (direct.replace(/\d+/g, "N") !== through.replace(/\d+/g, "N")) return false;
  const [before, after] = [numbers(direct), numbers(through)];
  return before.every((size, at) => (after[at] ?? 0) <= size && (after[at] ?? 0) * 2 >= size);
}

function numbers(text: string): number[] {
  return [...text.matchAll(/\d+/g)].map(([digits]) => Number(digits));
}

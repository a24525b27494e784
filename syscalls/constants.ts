/** Constants of the kernel's interface, by the header that defines each and sorted by name. */

// asm-generic/fcntl.h: open(2) and fcntl(2), as on x86-64
export const FD_CLOEXEC = 1;
export const F_GETFD = 1;
export const F_GETFL = 3;
export const F_SETFD = 2;
export const F_SETFL = 4;
export const O_ACCMODE = 3;
export const O_APPEND = 0o2000;
export const O_CLOEXEC = 0o2000000;
export const O_CREAT = 0o100;
export const O_DIRECTORY = 0o200000;
export const O_EXCL = 0o200;
export const O_NOCTTY = 0o400;
export const O_NOFOLLOW = 0o400000;
export const O_NONBLOCK = 0o4000;
export const O_PATH = 0o10000000;
export const O_RDONLY = 0;
export const O_RDWR = 2;
export const O_TRUNC = 0o1000;
export const O_WRONLY = 1;

// linux/fcntl.h: commands of fcntl(2) and flags of the calls that end in at
export const AT_EMPTY_PATH = 0x1000;
export const AT_FDCWD = -100;
export const AT_REMOVEDIR = 0x200;
export const AT_SYMLINK_NOFOLLOW = 0x100;
export const F_DUPFD_CLOEXEC = 1030;

// unistd.h: access(2)
export const F_OK = 0;
export const R_OK = 4;
export const W_OK = 2;
export const X_OK = 1;

// linux/close_range.h
export const CLOSE_RANGE_CLOEXEC = 4;

// linux/memfd.h
export const MFD_ALLOW_SEALING = 2;
export const MFD_CLOEXEC = 1;

// linux/mount.h: mount(2)
export const MS_BIND = 0x1000;
export const MS_DIRSYNC = 128;
export const MS_I_VERSION = 1 << 23;
export const MS_LAZYTIME = 0x2000000;
export const MS_MANDLOCK = 64;
export const MS_MOVE = 0x2000;
export const MS_NOATIME = 0x400;
export const MS_NODEV = 4;
export const MS_NODIRATIME = 0x800;
export const MS_NOEXEC = 8;
export const MS_NOSUID = 2;
export const MS_NOSYMFOLLOW = 256;
export const MS_PRIVATE = 0x40000;
export const MS_RDONLY = 1;
export const MS_REC = 0x4000;
export const MS_RELATIME = 0x200000;
export const MS_REMOUNT = 0x20;
export const MS_SHARED = 0x100000;
export const MS_SILENT = 0x8000;
export const MS_SLAVE = 0x80000;
export const MS_STRICTATIME = 0x1000000;
export const MS_SYNCHRONOUS = 0x10;
export const MS_UNBINDABLE = 0x20000;

// linux/fs.h: umount2(2)
export const MNT_DETACH = 2;
export const MNT_FORCE = 1;
export const UMOUNT_NOFOLLOW = 8;

// linux/dm-ioctl.h: ioctls of /dev/mapper/control
export const DM_DEV_REMOVE = 0xc138fd04;

// linux/raid/md_u.h: ioctls of arrays
export const STOP_ARRAY = 0x932;

// linux/btrfs.h: ioctls of /dev/btrfs-control
export const BTRFS_IOC_DEVICES_READY = 0x90009427;
export const BTRFS_IOC_SCAN_DEV = 0x50009404;

// linux/loop.h: ioctls of /dev/loop-control and of loop devices, and the latter's flags
export const LOOP_CLR_FD = 0x4c01;
export const LOOP_CONFIGURE = 0x4c0a;
export const LOOP_CTL_GET_FREE = 0x4c82;
export const LOOP_SET_FD = 0x4c00;
export const LOOP_SET_STATUS64 = 0x4c04;
export const LO_FLAGS_AUTOCLEAR = 4;
export const LO_FLAGS_READ_ONLY = 1;

// linux/magic.h: statfs(2)
export const BTRFS_SUPER_MAGIC = 0x9123683e;
export const CGROUP2_SUPER_MAGIC = 0x63677270;
export const DEVPTS_SUPER_MAGIC = 0x1cd1;
export const EXT4_SUPER_MAGIC = 0xef53;
export const F2FS_SUPER_MAGIC = 0xf2f52010;
export const ISOFS_SUPER_MAGIC = 0x9660;
export const MSDOS_SUPER_MAGIC = 0x4d44;
export const NFS_SUPER_MAGIC = 0x6969;
export const PROC_SUPER_MAGIC = 0x9fa0;
export const RAMFS_MAGIC = 0x858458f6;
export const SECURITYFS_MAGIC = 0x73636673;
export const SQUASHFS_MAGIC = 0x73717368;
export const SYSFS_MAGIC = 0x62656572;
export const TMPFS_MAGIC = 0x01021994;
export const XFS_SUPER_MAGIC = 0x58465342;

// linux/stat.h: the fields of statx(2)
export const STATX_BASIC_STATS = 0x7ff;
export const STATX_MNT_ID = 0x1000;

// linux/stat.h: st_mode
export const S_IFBLK = 0o60000;
export const S_IFCHR = 0o20000;
export const S_IFDIR = 0o40000;
export const S_IFIFO = 0o10000;
export const S_IFLNK = 0o120000;
export const S_IFMT = 0o170000;
export const S_IFREG = 0o100000;
export const S_IFSOCK = 0o140000;

// linux/wait.h and asm-generic/siginfo.h: waitid(2)
export const CLD_DUMPED = 3;
export const CLD_EXITED = 1;
export const CLD_KILLED = 2;
export const P_ALL = 0;
export const P_PID = 1;
export const WCONTINUED = 8;
export const WEXITED = 4;
export const WNOHANG = 1;
export const WNOWAIT = 0x1000000;
export const WSTOPPED = 2;

// asm/signal.h, as on x86-64
export const SIGCHLD = 17;
export const SIGCONT = 18;
export const SIGHUP = 1;
export const SIGINT = 2;
export const SIGKILL = 9;
export const SIGPIPE = 13;
export const SIGSEGV = 11;
export const SIGSTOP = 19;
export const SIGTERM = 15;
export const SIGURG = 23;
export const SIGUSR2 = 12;
export const SIGWINCH = 28;
export const SIGXFSZ = 25;

// asm-generic/signal-defs.h: sigprocmask(2)
export const SIG_BLOCK = 0;
export const SIG_SETMASK = 2;

// asm-generic/resource.h: getrlimit(2)
export const RLIMIT_CORE = 4;
export const RLIMIT_NOFILE = 7;
/** No limit. */
export const RLIM_INFINITY = 0xffff_ffff_ffff_ffffn;

// linux/time.h: clock_gettime(2)
export const CLOCK_BOOTTIME = 7;

// linux/reboot.h: reboot(2)
export const LINUX_REBOOT_CMD_HALT = 0xcdef0123;
export const LINUX_REBOOT_CMD_KEXEC = 0x45584543;
export const LINUX_REBOOT_CMD_POWER_OFF = 0x4321fedc;
export const LINUX_REBOOT_CMD_RESTART = 0x01234567;
export const LINUX_REBOOT_MAGIC1 = 0xfee1dead;
export const LINUX_REBOOT_MAGIC2 = 0x28121969;

// linux/module.h: finit_module(2)
export const MODULE_INIT_COMPRESSED_FILE = 4;

// linux/socket.h and asm-generic/socket.h: socket(2)
export const AF_NETLINK = 16;
export const AF_UNIX = 1;
export const MSG_DONTWAIT = 0x40;
export const MSG_NOSIGNAL = 0x4000;
export const MSG_TRUNC = 0x20;
export const SOCK_CLOEXEC = 0x80000;
export const SOCK_DGRAM = 2;
export const SOCK_NONBLOCK = 0x800;
export const SOCK_RAW = 3;
export const SOCK_STREAM = 1;
export const SOL_SOCKET = 1;
export const SO_RCVBUF = 8;
export const SO_RCVBUFFORCE = 33;

// asm-generic/poll.h: poll(2)
export const POLLIN = 1;

// linux/netlink.h: netlink(7)
export const NETLINK_KOBJECT_UEVENT = 15;
export const NETLINK_ROUTE = 0;

// asm-generic/ioctls.h: ioctl_tty(2)
export const TCGETS = 0x5401;
export const TCSETS = 0x5402;
export const TIOCGWINSZ = 0x5413;

// asm-generic/termbits.h: termios(3), in c_oflag
export const ONLCR = 4;
export const OPOST = 1;

// asm-generic/termbits.h: termios(3), in c_lflag
export const ECHO = 8;
export const ECHONL = 64;
export const ICANON = 2;
export const IEXTEN = 0x8000;
export const ISIG = 1;

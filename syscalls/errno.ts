/** Errno numbers, their names and what they mean, and the one way in which they become errors. */

import { SysError } from "./error.ts";

/** The name of an errno value: "ENOENT". */
export type ErrnoCode = (typeof ERRNO)[keyof typeof ERRNO][0];

/** asm-generic/errno-base.h and asm-generic/errno.h; the meanings are ours. */
const ERRNO = {
  1: ["EPERM", "not permitted"],
  2: ["ENOENT", "no such file or directory"],
  3: ["ESRCH", "no such process"],
  4: ["EINTR", "interrupted by a signal"],
  5: ["EIO", "the device reports an input or output error"],
  6: ["ENXIO", "no such device or address"],
  7: ["E2BIG", "the arguments are too long"],
  8: ["ENOEXEC", "not in a format that can be executed"],
  9: ["EBADF", "not an open file descriptor, or not open for this"],
  10: ["ECHILD", "no such child process"],
  11: ["EAGAIN", "not now, but perhaps later"],
  12: ["ENOMEM", "out of memory"],
  13: ["EACCES", "permission denied"],
  14: ["EFAULT", "bad address"],
  15: ["ENOTBLK", "not a block device"],
  16: ["EBUSY", "in use"],
  17: ["EEXIST", "exists already"],
  18: ["EXDEV", "not on the same filesystem"],
  19: ["ENODEV", "no such device, or unknown to the kernel"],
  20: ["ENOTDIR", "not a directory"],
  21: ["EISDIR", "is a directory"],
  22: ["EINVAL", "not valid here"],
  23: ["ENFILE", "too many open files in the system"],
  24: ["EMFILE", "too many open files in this process"],
  25: ["ENOTTY", "the device does not know this request"],
  26: ["ETXTBSY", "the program is being written or run"],
  27: ["EFBIG", "the file is too large"],
  28: ["ENOSPC", "no space left on the device"],
  29: ["ESPIPE", "can't be read at an offset"],
  30: ["EROFS", "the filesystem is read-only"],
  31: ["EMLINK", "too many links"],
  32: ["EPIPE", "nobody reads at the other end"],
  33: ["EDOM", "outside the domain of the function"],
  34: ["ERANGE", "the result is out of range"],
  35: ["EDEADLK", "would wait for itself for ever"],
  36: ["ENAMETOOLONG", "the name is too long"],
  37: ["ENOLCK", "no locks available"],
  38: ["ENOSYS", "this kernel does not have the call"],
  39: ["ENOTEMPTY", "the directory is not empty"],
  40: ["ELOOP", "too many symbolic links, or one that may not be followed"],
  42: ["ENOMSG", "no message of that type"],
  43: ["EIDRM", "the identifier was removed"],
  44: ["ECHRNG", "the channel number is out of range"],
  45: ["EL2NSYNC", "level 2 is not synchronized"],
  46: ["EL3HLT", "level 3 is halted"],
  47: ["EL3RST", "level 3 was reset"],
  48: ["ELNRNG", "the link number is out of range"],
  49: ["EUNATCH", "no protocol driver is attached"],
  50: ["ENOCSI", "no CSI structure"],
  51: ["EL2HLT", "level 2 is halted"],
  52: ["EBADE", "invalid exchange"],
  53: ["EBADR", "invalid request descriptor"],
  54: ["EXFULL", "the exchange is full"],
  55: ["ENOANO", "no anode"],
  56: ["EBADRQC", "invalid request code"],
  57: ["EBADSLT", "invalid slot"],
  59: ["EBFONT", "bad font file"],
  60: ["ENOSTR", "not a stream"],
  61: ["ENODATA", "no data there"],
  62: ["ETIME", "the timer ran out"],
  63: ["ENOSR", "out of stream resources"],
  64: ["ENONET", "the machine is not on the network"],
  65: ["ENOPKG", "a needed package is missing"],
  66: ["EREMOTE", "the object is remote"],
  67: ["ENOLINK", "the link was cut"],
  68: ["EADV", "advertise error"],
  69: ["ESRMNT", "srmount error"],
  70: ["ECOMM", "communication error on send"],
  71: ["EPROTO", "protocol error"],
  72: ["EMULTIHOP", "more than one hop was attempted"],
  73: ["EDOTDOT", "RFS-specific error"],
  74: ["EBADMSG", "the data is damaged"],
  75: ["EOVERFLOW", "the value does not fit"],
  76: ["ENOTUNIQ", "the name is not unique"],
  77: ["EBADFD", "the file descriptor is in a bad state"],
  78: ["EREMCHG", "the remote address changed"],
  79: ["ELIBACC", "a needed shared library can't be reached"],
  80: ["ELIBBAD", "a shared library is damaged, or an interpreter is no program"],
  81: ["ELIBSCN", "the .lib section is damaged"],
  82: ["ELIBMAX", "too many shared libraries"],
  83: ["ELIBEXEC", "a shared library can't be executed"],
  84: ["EILSEQ", "invalid byte sequence"],
  85: ["ERESTART", "the call should be started again"],
  86: ["ESTRPIPE", "streams pipe error"],
  87: ["EUSERS", "too many users"],
  88: ["ENOTSOCK", "not a socket"],
  89: ["EDESTADDRREQ", "a destination address is needed"],
  90: ["EMSGSIZE", "the message is too long"],
  91: ["EPROTOTYPE", "the wrong protocol for this socket"],
  92: ["ENOPROTOOPT", "the protocol has no such option"],
  93: ["EPROTONOSUPPORT", "this kernel does not have the protocol"],
  94: ["ESOCKTNOSUPPORT", "this kernel does not have the socket type"],
  95: ["EOPNOTSUPP", "the operation is not supported"],
  96: ["EPFNOSUPPORT", "this kernel does not have the protocol family"],
  97: ["EAFNOSUPPORT", "this kernel does not have the address family"],
  98: ["EADDRINUSE", "the address is in use"],
  99: ["EADDRNOTAVAIL", "the address is not available"],
  100: ["ENETDOWN", "the network is down"],
  101: ["ENETUNREACH", "the network can't be reached"],
  102: ["ENETRESET", "the network dropped the connection"],
  103: ["ECONNABORTED", "the connection was aborted"],
  104: ["ECONNRESET", "the other end reset the connection"],
  105: ["ENOBUFS", "no buffer space; messages were lost"],
  106: ["EISCONN", "connected already"],
  107: ["ENOTCONN", "not connected"],
  108: ["ESHUTDOWN", "this end was shut down"],
  109: ["ETOOMANYREFS", "too many references"],
  110: ["ETIMEDOUT", "no answer in time"],
  111: ["ECONNREFUSED", "connection refused"],
  112: ["EHOSTDOWN", "the host is down"],
  113: ["EHOSTUNREACH", "no route to the host"],
  114: ["EALREADY", "already in progress"],
  115: ["EINPROGRESS", "begun and not finished"],
  116: ["ESTALE", "the file handle is no longer valid"],
  117: ["EUCLEAN", "the filesystem is damaged and needs a check"],
  118: ["ENOTNAM", "not a XENIX named file"],
  119: ["ENAVAIL", "no XENIX semaphores available"],
  120: ["EISNAM", "is a named file"],
  121: ["EREMOTEIO", "error on the remote side"],
  122: ["EDQUOT", "the quota is used up"],
  123: ["ENOMEDIUM", "no medium in the drive"],
  124: ["EMEDIUMTYPE", "the wrong type of medium"],
  125: ["ECANCELED", "cancelled"],
  126: ["ENOKEY", "the key is not available"],
  127: ["EKEYEXPIRED", "the key has expired"],
  128: ["EKEYREVOKED", "the key was revoked"],
  129: ["EKEYREJECTED", "the key was rejected"],
  130: ["EOWNERDEAD", "the owner died"],
  131: ["ENOTRECOVERABLE", "the state can't be recovered"],
  132: ["ERFKILL", "the radio is switched off"],
  133: ["EHWPOISON", "the memory page is faulty"],
} as const;

/** The errno value of a name. */
export function errnoNumber(code: ErrnoCode): number {
  for (const [number, [name]] of Object.entries(ERRNO)) if (name === code) return Number(number);
  throw new RangeError(`no errno is named ${code}`);
}

/** The error for errno value `errno` of `syscall`; values that no header names become "E" and the number. */
export function sysError(syscall: string, errno: number, path?: string): SysError {
  const [code, meaning] = (ERRNO as Readonly<Record<number, readonly [string, string]>>)[errno] ?? [
    `E${errno}`,
    `error ${errno}, which has no name`,
  ];
  return path === undefined
    ? new SysError(syscall, errno, code, meaning)
    : new SysError(syscall, errno, code, meaning, path);
}

/**
 * Where every refusal of the kernel ends.
 * @param errno the positive value
 * @throws SysError always
 */
export function fail(syscall: string, errno: number, path?: string): never {
  throw sysError(syscall, errno, path);
}

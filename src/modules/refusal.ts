/** Why the kernel refuses a module, in words. */

import type { SysError } from "../../syscalls/error.ts";

/** The end of a sentence, with what to do where there is something: "it is not made for this kernel." */
export function refusal(error: SysError): string {
  const known = error.syscall.includes("init_module") ? REASONS[error.code] : undefined;
  return known ? `${known} (${error.code}).` : `${error.message}.`;
}

// init_module(2), and what kernel/module/ of Linux returns besides.
const REASONS: Readonly<Record<string, string>> = {
  EACCES: "a security module of the kernel forbids it",
  EBADMSG: "its signature is damaged; install the kernel's package again",
  EBUSY: "the kernel is just loading or removing it",
  EFBIG: "it is too large",
  EINVAL: "the kernel does not accept it or one of its parameters; dmesg may say more",
  EKEYREJECTED: "its signature is refused: Secure Boot or lockdown is on and no key of the kernel's made it",
  ENODEV: "it found no device that it could drive",
  ENOENT: "it uses a symbol that this kernel and the loaded modules lack; was it built for this kernel?",
  ENOEXEC: "it is not made for this kernel; the image must hold the modules of the kernel that boots it",
  ENOKEY: "its signature is by a key that the kernel does not know: Secure Boot or lockdown is on",
  ENOMEM: "the memory does not suffice",
  EPERM: "the kernel takes no modules: modules_disabled, module_blacklist= or lockdown",
  ETIMEDOUT: "another module it needs did not finish loading in time",
};

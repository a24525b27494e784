/** Where this machine can be reached. */

import { Rtnetlink, readAddresses } from "../../../syscalls/rtnetlink/index.ts";
import { SysError, type Syscalls } from "../../../syscalls/index.ts";
import { formatAddress } from "../../network/address.ts";

/** The addresses by which others reach it, IPv4 first. None when the kernel does not say. */
export function reachableAddresses(sys: Syscalls): string[] {
  try {
    const kernel = new Rtnetlink(sys);
    try {
      const usable = readAddresses(kernel).filter(
        ({ scope, isTentative, isDuplicate }) => scope === "global" && !isTentative && !isDuplicate,
      );
      const addresses = usable.map(({ address }) => formatAddress(address));
      return addresses.toSorted((a, b) => Number(a.includes(":")) - Number(b.includes(":")));
    } finally {
      kernel.close();
    }
  } catch (error) {
    if (error instanceof SysError) return [];
    throw error;
  }
}

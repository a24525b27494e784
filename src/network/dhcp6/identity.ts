/** Who a machine is for DHCPv6: RFC 8415 sections 11 and 12. */

/** DUID-LL of an Ethernet card: the same in each boot, although nothing can be kept. */
export function duidOfMac(mac: string): Uint8Array {
  return Uint8Array.from([0, DUID_LL, 0, ETHERNET, ...macBytes(mac)]);
}

/** An association's identifier that is the same in each boot, and another for each card. */
export function associationOfMac(mac: string): number {
  return macBytes(mac)
    .slice(-4)
    .reduce((sum, byte) => sum * 256 + byte, 0);
}

function macBytes(mac: string): number[] {
  return mac.split(":").map((byte) => Number.parseInt(byte, 16));
}

const DUID_LL = 3;
const ETHERNET = 1;

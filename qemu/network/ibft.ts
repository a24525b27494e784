/** A table with which a firmware tells of the interface and the disk that it booted from: iBFT, as drivers/firmware/iscsi_ibft.c has it. */

import { parseAddress } from "../../src/network/address.ts";

export interface FirmwareNic {
  readonly mac: string;
  readonly address: string;
  readonly prefix: number;
  readonly gateway: string;
  readonly nameserver: string;
  readonly hostName: string;
  /** 0 for none. */
  readonly vlan: number;
  /** The disk that it booted from. */
  readonly target?: {
    readonly name: string;
    readonly address: string;
    readonly port: number;
    /** Less than 256. */
    readonly lun: number;
  };
}

/** The table without its header, which QEMU writes: the content of the file of `-acpitable sig=iBFT,rev=1,data=FILE`. */
export function firmwareTable({
  mac,
  address,
  prefix,
  gateway,
  nameserver,
  hostName,
  vlan,
  target,
}: FirmwareNic): Uint8Array {
  const targetNameAt = HOST_NAME_AT + hostName.length + 1;
  const bytes = new Uint8Array(targetNameAt + (target?.name.length ?? 0) + 1 - HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  const at = (offset: number): number => offset - HEADER_BYTES;
  // struct ibft_control: its head, and where the first interface is.
  bytes.set([1, 1], at(CONTROL_AT));
  view.setUint16(at(CONTROL_AT + 2), 18, true);
  view.setUint16(at(CONTROL_AT + 10), NIC_AT, true);
  // struct ibft_nic
  bytes.set([3, 1], at(NIC_AT));
  view.setUint16(at(NIC_AT + 2), 102, true);
  // Valid, and booted from.
  bytes[at(NIC_AT + 5)] = 3;
  bytes.set(mapped(address), at(NIC_AT + 6));
  // The origin 1 is a person.
  bytes.set([prefix, 1], at(NIC_AT + 22));
  for (const [index, one] of [gateway, nameserver].entries())
    bytes.set(mapped(one), at(NIC_AT + 24 + 16 * index));
  view.setUint16(at(NIC_AT + 88), vlan, true);
  bytes.set(
    mac.split(":").map((byte) => Number.parseInt(byte, 16)),
    at(NIC_AT + 90),
  );
  view.setUint16(at(NIC_AT + 98), hostName.length, true);
  view.setUint16(at(NIC_AT + 100), HOST_NAME_AT, true);
  bytes.set(Buffer.from(hostName), at(HOST_NAME_AT));
  if (target === undefined) return bytes;
  view.setUint16(at(CONTROL_AT + 12), TARGET_AT, true);
  // struct ibft_tgt
  bytes.set([4, 1], at(TARGET_AT));
  view.setUint16(at(TARGET_AT + 2), 54, true);
  bytes[at(TARGET_AT + 5)] = 3;
  bytes.set(mapped(target.address), at(TARGET_AT + 6));
  view.setUint16(at(TARGET_AT + 22), target.port, true);
  bytes[at(TARGET_AT + 25)] = target.lun;
  view.setUint16(at(TARGET_AT + 34), target.name.length, true);
  view.setUint16(at(TARGET_AT + 36), targetNameAt, true);
  bytes.set(Buffer.from(target.name), at(targetNameAt));
  return bytes;
}

function mapped(address: string): Uint8Array {
  const bytes = parseAddress(address) ?? new Uint8Array(4);
  return Uint8Array.of(...Array.from({ length: 10 }, () => 0), 0xff, 0xff, ...bytes);
}

const HEADER_BYTES = 36;
const CONTROL_AT = 48;
const NIC_AT = 72;
const TARGET_AT = NIC_AT + 102;
const HOST_NAME_AT = TARGET_AT + 54;

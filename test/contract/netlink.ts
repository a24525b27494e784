/** A question that the kernel answers to anybody, rtnetlink(7). */

const RTM_GETLINK = 18;
const NLM_F_REQUEST = 1;
const LOOPBACK = 1;

/** RTM_GETLINK for the loopback interface: struct nlmsghdr, then struct ifinfomsg. */
export function linkQuestion(): Uint8Array {
  const view = new DataView(new ArrayBuffer(32));
  view.setUint32(0, view.byteLength, true);
  view.setUint16(4, RTM_GETLINK, true);
  view.setUint16(6, NLM_F_REQUEST, true);
  view.setInt32(20, LOOPBACK, true);
  return new Uint8Array(view.buffer);
}

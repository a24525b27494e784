/** What of live systems and overlays the boot calls, as one chunk (boot/parts.ts). */

export { findIso } from "./iso-scan.ts";
export { mountLive } from "./live.ts";
export { coverRoot } from "./overlay.ts";

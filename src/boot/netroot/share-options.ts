/** The options of a share: virtiofs and 9P (the kernel's filesystems/virtiofs.rst and 9p.rst). */

import { hasOption, optionValue } from "../../storage/option-list.ts";
import type { ShareRoot } from "./types.ts";

/** The options for the kernel: 9P is told its transport and the dialect of Linux, unless somebody says otherwise. */
export function shareOptions(kind: ShareRoot["kind"], data: string): string {
  if (kind === "virtiofs") return data;
  const missing = [
    ...(hasOption(data, "trans") ? [] : ["trans=virtio"]),
    ...(hasOption(data, "version") ? [] : ["version=9p2000.L"]),
  ];
  return [...missing, ...(data === "" ? [] : [data])].join(",");
}

/** True when the share comes over a network after all: 9P over TCP. */
export function isOverNetwork(kind: ShareRoot["kind"], options: string): boolean {
  return kind === "9p" && optionValue(options, "trans") === "tcp";
}

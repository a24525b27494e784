/** Options of overlayfs that name directories: seen from the early userspace, they lie below the new root. */

import { splitOptions } from "../../storage/option-list.ts";

/** Options whose value is a path; a colon parts the directories of a list (kernel, filesystems/overlayfs.rst). */
const PATHS: Readonly<Record<string, { readonly list: boolean }>> = {
  lowerdir: { list: true },
  "lowerdir+": { list: false },
  "datadir+": { list: false },
  upperdir: { list: false },
  workdir: { list: false },
};

/**
 * The options with every directory replaced by what `place` says of it. Backslashes that escape commas and colons
 * are taken off before, and put on behind.
 */
export function mapOverlayPaths(options: string, place: (path: string) => string): string {
  return splitOptions(options)
    .map((option) => {
      const equals = option.indexOf("=");
      const name = option.slice(0, Math.max(equals, 0));
      const kind = Object.hasOwn(PATHS, name) ? PATHS[name] : undefined;
      if (kind === undefined) return option;
      const value = option.slice(equals + 1);
      const paths = kind.list ? splitColons(value) : [value];
      return `${name}=${paths.map((path) => (path === "" ? "" : escape(place(unescape(path)), kind.list))).join(":")}`;
    })
    .join(",");
}

/** All directories that the options name. */
export function overlayPaths(options: string): string[] {
  const paths: string[] = [];
  mapOverlayPaths(options, (path) => {
    paths.push(path);
    return path;
  });
  return paths;
}

// Two colons begin the layers that hold data only, so empty pieces stay.
function splitColons(list: string): string[] {
  return list.match(/(?:\\[^]|[^:\\])+|(?<=^|:)(?=:|$)/g) ?? [];
}

function unescape(path: string): string {
  return path.replace(/\\([^])/g, "$1");
}

function escape(path: string, inList: boolean): string {
  return path.replace(inList ? /[\\,:]/g : /[\\,]/g, "\\$&");
}

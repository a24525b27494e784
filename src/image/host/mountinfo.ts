/** The mounts of a process: /proc/self/mountinfo, after proc(5). */

/** One mount. Paths and the source are byte strings with their escapes undone. */
export interface Mount {
  readonly id: string;
  readonly parent: string;
  /** "MAJOR:MINOR" of st_dev; major 0 for what is on no block device, or on several. */
  readonly rdev: string;
  /** Where it is mounted, as the process sees it. */
  readonly point: string;
  readonly type: string;
  readonly source: string;
  /** The options of the file system itself. */
  readonly options: string;
}

/** The mounts in the order of the file; lines of any other form are passed over. */
export function parseMountinfo(text: string): Mount[] {
  return text.split("\n").flatMap((line) => {
    const fields = line.split(" ");
    const dash = fields.indexOf("-", 6);
    const [id = "", parent = "", rdev = "", , point = ""] = fields;
    if (dash < 0 || !/^\d+:\d+$/.test(rdev) || !point.startsWith("/")) return [];
    const [type = "", source = "", options = ""] = fields.slice(dash + 1);
    return [{ id, parent, rdev, point: unescape(point), type, source: unescape(source), options }];
  });
}

/** What is mounted at exactly this path; of several on each other the uppermost. */
export function mountAt(mounts: readonly Mount[], point: string): Mount | undefined {
  const here = mounts.filter((mount) => mount.point === point);
  return here.findLast(({ id }) => !here.some(({ parent }) => parent === id)) ?? here.at(-1);
}

/** The mount that a path lies on, among those that `counts` lets count. */
export function mountOf(
  mounts: readonly Mount[],
  path: string,
  counts: (mount: Mount) => boolean = () => true,
): Mount | undefined {
  const above = mounts.filter((mount) => counts(mount) && isBelow(path, mount.point));
  const longest = Math.max(...above.map(({ point }) => point.length));
  const point = above.find((mount) => mount.point.length === longest)?.point;
  return point === undefined ? undefined : mountAt(above, point);
}

/** The value of an option in a list with commas, with its escapes undone; undefined when there is none. */
export function mountOption(options: string, name: string): string | undefined {
  // overlayfs writes a comma in a path as \054, or behind a backslash.
  const option = options.split(/(?<!\\),/).find((one) => one.startsWith(`${name}=`));
  return option && unescape(option.slice(name.length + 1));
}

function isBelow(path: string, point: string): boolean {
  return point === "/" || path === point || path.startsWith(`${point}/`);
}

// The kernel writes blanks, line ends, tabs and backslashes as three octal digits.
function unescape(field: string): string {
  return field.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8) & 0xff));
}

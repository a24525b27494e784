/**
 * A root that the host of a virtual machine shares: virtiofs and 9P (the kernel's filesystems/virtiofs.rst and 9p.rst).
 * The share is a device of the machine, so its driver's events are waited for.
 */

import { MS_RDONLY, type Syscalls, isErrno } from "../../../syscalls/index.ts";
import { text } from "../../lib/bytes.ts";
import { UserError, describe } from "../../lib/errors.ts";
import { optionValue } from "../../storage/option-list.ts";
import { namesIn, readAttribute } from "../devices/attributes.ts";
import { planMount } from "../root.ts";
import { waitInTheOpen } from "../wait.ts";
import type { NetMeans } from "./means.ts";
import { shareOptions } from "./share-options.ts";
import type { ShareRoot } from "./types.ts";

/**
 * Mounts the share on `target`, waiting until its device is there.
 * @throws UserError when it did not appear, or the kernel refuses it
 */
export async function mountShare(means: NetMeans, root: ShareRoot, target: string): Promise<void> {
  const { boot, devices } = means;
  const { flags, data } = planMount(boot.options, boot.words);
  const options = shareOptions(root.kind, data);
  await means.loadModules(modulesFor(root.kind, options));
  const attempt = async (): Promise<true | undefined> => {
    try {
      await boot.sys.slow.mount(root.tag, target, root.kind, flags, options);
      return true;
    } catch (error) {
      // Not there (yet): 9P says ENOENT, virtiofs EINVAL, which may as well be about the options.
      if (isErrno(error, "ENOENT", "EINVAL")) return undefined;
      throw explain(root, error);
    }
  };
  const mounted = await waitInTheOpen(boot, {
    look: attempt,
    changed: () => devices.changed(),
    describe: async () => `waiting for the share ${text(root.tag)} (${root.kind})`,
    detail: async () => describeTags(boot.sys, root.kind),
    timeout_ms: boot.options.deviceTimeout_ms,
  });
  if (mounted === undefined)
    throw new UserError(
      `The root, the share ${text(root.tag)} (${root.kind}), did not appear; ${describeTags(boot.sys, root.kind)}.`,
      "Does the host share a directory by this tag? The kernel's own messages above may say more.",
    );
  const access = (flags & MS_RDONLY) === 0 ? "read-write" : "read-only";
  boot.log.info(`mounted the share ${text(root.tag)} (${root.kind}) as the root, ${access}`);
}

// The alias by which the kernel itself would ask for a transport (net/9p/mod.c).
function modulesFor(kind: ShareRoot["kind"], options: string): string[] {
  return kind === "virtiofs" ? ["fs-virtiofs"] : ["fs-9p", `9p-${optionValue(options, "trans")}`];
}

// Kernels older than 6.9 keep the tags of virtiofs to themselves.
function describeTags(sys: Syscalls, kind: ShareRoot["kind"]): string {
  const [directory, file] = TAGS[kind];
  const places = namesIn(sys, directory).filter((name) => /^(?:virtio)?\d+$/.test(name));
  const tags = places.flatMap((name) => readAttribute(sys, `${directory}/${name}/${file}`) ?? []);
  const names = tags.map((tag) => text(tag.replace(/[\0\n]+$/, "")));
  if (names.length > 0) return `there is ${names.join(", ")}`;
  const drivers = namesIn(sys, `/sys/bus/virtio/drivers/${DRIVERS[kind]}`).filter((name) =>
    /^virtio\d+$/.test(name),
  );
  if (drivers.length > 0)
    return `the host shares ${drivers.length} by ${kind}, whose tags the kernel does not tell`;
  return `there is no device for ${kind} yet`;
}

const TAGS = {
  "9p": ["/sys/bus/virtio/drivers/9pnet_virtio", "mount_tag"],
  virtiofs: ["/sys/fs/virtiofs", "tag"],
} as const;

const DRIVERS = { "9p": "9pnet_virtio", virtiofs: "virtiofs" } as const;

function explain({ kind, tag }: ShareRoot, error: unknown): UserError {
  if (isErrno(error, "ENODEV"))
    return new UserError(
      `The root, the share ${text(tag)}, can't be mounted: the kernel does not know ${kind}, and the image holds no module for it.`,
      `Build the image with --drivers ${kind === "9p" ? "'9p 9pnet_virtio'" : "virtiofs"} or --generic.`,
    );
  return new UserError(
    `The root, the share ${text(tag)} (${kind}), can't be mounted: ${describe(error)}.`,
    "The kernel's own messages above may say more.",
  );
}

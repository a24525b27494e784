/** Activates logical volumes by lvm(8), and gives their devices names. */

import { text } from "../../lib/bytes.ts";
import { type runChild, describeEnd, succeeded } from "../children/children.ts";
import type { Boot } from "../context.ts";
import { publishDmDevices } from "./dm-nodes.ts";
import type { StorageContext } from "./layer.ts";
import { activationCommand, lvmEnvironment } from "./lvm-command.ts";
import { type GroupState, type Reason, modulesFor } from "./lvm-plan.ts";
import type { ActivationMode } from "./lvm-settings.ts";

/** How long lvm may take for one command. */
const deadline_ms = 60_000;

export interface Request {
  readonly plan: GroupState;
  /** The names of volumes of this group, and the same as "VG/LV". */
  readonly volumes: readonly string[];
  readonly paths: readonly string[];
  /** What they are together to people. */
  readonly title: string;
  readonly reason: Reason;
  readonly mode: ActivationMode;
  /** The nodes of all physical volumes that are there. */
  readonly nodes: readonly string[];
}

/** Activates the volumes. Resolves with a sentence when lvm did not; its output is shown then. Never rejects. */
export async function activateVolumes(
  boot: Boot,
  context: StorageContext,
  { plan: { group, missing }, volumes, paths, title, reason, mode, nodes }: Request,
  run: typeof runChild,
): Promise<string | undefined> {
  if (mode !== "complete" && missing.length > 0)
    boot.log.warning(
      `the volume group ${text(group.name)} lacks ${missing.map(({ id }) => text(id)).join(", ")}; ` +
        `${title} is activated all the same, as rd.lvm.activationmode=${mode} says.`,
    );
  const chosen = new Set(volumes);
  const types = group.volumes.filter(({ name }) => chosen.has(name)).flatMap((volume) => volume.types);
  await context.loadModules(modulesFor(types));
  const { end, output } = await run(boot, {
    argv: activationCommand({ volumes: paths, reason, mode, nodes }),
    name: "lvm",
    title: `lvm, which activates ${title}`,
    env: lvmEnvironment,
    // That lvm refuses a group beside the root that is not for this system is no news.
    show: reason === "any" && group.reserved ? "never" : "on failure",
    deadline_ms,
  });
  for (const problem of publishDmDevices(boot.sys)) boot.log.warning(problem);
  if (succeeded(end)) {
    boot.log.info(`lvm activated ${title}`);
    return undefined;
  }
  const last = output.trimEnd().split("\n").at(-1)?.trim() ?? "";
  const words = last === "" ? "" : `; its last words: ${text(last)}`;
  return `lvm did not activate ${title}: it ${describeEnd(end)}${words}`;
}

/** What parameters that ask for the network need of an image: for the builder to bring, and for `rdinit check` to look for. */

import type { Word } from "../boot/cmdline/cmdline.ts";
import { describeNetRoot } from "../boot/netroot/forms.ts";
import { reasonForNetwork } from "../boot/netroot/netroot.ts";
import { planNfs } from "../boot/netroot/nfs-plan.ts";
import { readNetRootSettings } from "../boot/netroot/settings.ts";
import { shareOptions } from "../boot/netroot/share-options.ts";
import type { NetRoot } from "../boot/netroot/types.ts";
import type { Options } from "../boot/cmdline/options.ts";
import { text } from "../lib/bytes.ts";
import { networkModules } from "../network/plan.ts";
import { readNetworkSettings } from "../network/settings.ts";
import { optionValue } from "../storage/option-list.ts";

/** What one parameter needs. */
export interface Need {
  /** The parameter: "ip=dhcp", "root=nfs:server:/path". */
  readonly why: string;
  /** Names or aliases of modules; of those that stand together one is enough. */
  readonly modules: readonly (readonly string[])[];
  readonly programs: readonly string[];
}

export interface NetworkNeeds {
  /** Who wants interfaces to be configured; undefined when nobody does. */
  readonly why: string | undefined;
  /** Whether the root is there, and the boot fails without. */
  readonly isForRoot: boolean;
  /** Whether some address is to come by DHCPv4. */
  readonly dhcp: boolean;
  readonly needs: readonly Need[];
}

/** What these words need. `remote` tells that remote unlock, too, wants the network. */
export function networkNeeds(words: readonly Word[], { rootFlags }: Options, remote = false): NetworkNeeds {
  const { settings } = readNetworkSettings(words);
  const netroot = readNetRootSettings(words).settings;
  const asked = words.find(
    (word) => ASKING.test(word.name) && readNetworkSettings([word]).settings.isAskedFor,
  );
  const own = settings.isAskedFor && asked ? text(`${asked.name}=${asked.value ?? ""}`) : undefined;
  const forRoot = reasonForNetwork(netroot, rootFlags);
  const why = settings.isOff ? undefined : (own ?? forRoot ?? (remote ? "remote unlock" : undefined));
  const active = settings.interfaces.filter(
    ({ methods, addresses }) => methods.length + addresses.length > 0,
  );
  const byDhcp = active.length === 0 || active.some(({ methods }) => methods.includes("dhcp"));
  const roots = [...(netroot.root ? [netroot.root] : []), ...netroot.disks];
  const modules = networkModules(settings).map((name) => [name]);
  return {
    why,
    isForRoot: why !== undefined && forRoot !== undefined,
    dhcp: why !== undefined && byDhcp,
    needs: [
      ...(why === undefined || modules.length === 0 ? [] : [{ why, modules, programs: [] }]),
      ...[...new Set(roots)].flatMap((root) => rootNeeds(root, rootFlags)),
      ...(netroot.iscsi.firmware ? [FIRMWARE_NEED] : []),
    ],
  };
}

const FIRMWARE_NEED: Need = {
  why: "rd.iscsi.firmware",
  modules: [["iscsi_tcp"], ["sd_mod"], ["iscsi_ibft"]],
  programs: ["iscsistart"],
};

const ASKING = /^(?:ip|nfsaddrs|rd[._-]neednet|rd[._-]iscsi[._-]ibft)$/;

function rootNeeds(root: NetRoot, rootFlags: string): Need[] {
  const why = `root=${describeNetRoot(root)}`;
  switch (root.kind) {
    // What the server will name can't be known.
    case "dhcp":
      return [];
    case "nbd":
      return [{ why, modules: [["nbd"]], programs: ["nbd-client"] }];
    case "iscsi":
      return [{ why, modules: [["iscsi_tcp"], ["sd_mod"]], programs: ["iscsistart"] }];
    case "virtiofs":
      return [{ why, modules: [["virtiofs"]], programs: [] }];
    case "9p": {
      const transport = optionValue(shareOptions("9p", rootFlags), "trans") ?? "virtio";
      return [{ why, modules: [["9p"], [`9pnet_${transport === "tcp" ? "fd" : transport}`]], programs: [] }];
    }
    case "nfs": {
      const options = [root.options, rootFlags].filter((list) => list !== "").join(",");
      const versions = planNfs("", options, root.mayBe3).attempts.map(({ version }) => `nfsv${version[0]}`);
      return [{ why, modules: [["nfs"], [...new Set(versions)]], programs: [] }];
    }
  }
}

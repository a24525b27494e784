/** Device-mapper devices, by the UUID and the name that the tool gave them (dm-uevent, `dmsetup info`). */

import type { LayerKind } from "./layer.ts";

/** What a mapping is. */
export interface Mapping {
  readonly kind: LayerKind;
  readonly what: string;
  /** Besides dm_mod. */
  readonly modules: readonly string[];
  /** Whether modules of dm that happen to be loaded may be for it: LVM's names do not tell all. */
  readonly takesLoaded: boolean;
  /** The recipe that sets it up; undefined where there is none. */
  readonly tool: string | undefined;
  readonly uuid: string | undefined;
}

/** Reads the contents of dm/uuid and dm/name; either may be empty. */
export function identifyMapping(uuid: string, name: string): Mapping {
  const row = KINDS.find(({ uuid: pattern }) => pattern.test(uuid)) ?? UNKNOWN;
  const [, id] = row.uuid.exec(uuid) ?? [];
  const parts = row.kind === "volume" ? VOLUME_PARTS.filter(({ name: pattern }) => pattern.test(name)) : [];
  return {
    kind: row.kind,
    what: row.what,
    modules: [...(row.modules ?? []), ...parts.flatMap(({ modules }) => modules)],
    takesLoaded: row.kind === "volume" || row === UNKNOWN,
    tool: row.tool,
    uuid: id,
  };
}

interface Row {
  /** Its group, if it has one, is the UUID of what is mapped. */
  readonly uuid: RegExp;
  readonly kind: LayerKind;
  readonly what: string;
  readonly modules?: readonly string[];
  readonly tool?: string;
}

/** The first that fits counts. */
const KINDS: readonly Row[] = [
  {
    uuid: /^CRYPT-LUKS1-([0-9a-f]{32})-/,
    kind: "encryption",
    what: "LUKS1",
    modules: ["dm_crypt"],
    tool: "cryptsetup",
  },
  {
    uuid: /^CRYPT-LUKS2-([0-9a-f]{32})-/,
    kind: "encryption",
    what: "LUKS2",
    modules: ["dm_crypt"],
    tool: "cryptsetup",
  },
  { uuid: /^CRYPT-VERITY-/, kind: "mapping", what: "dm-verity", modules: ["dm_verity"], tool: "veritysetup" },
  {
    uuid: /^CRYPT-INTEGRITY-/,
    kind: "mapping",
    what: "dm-integrity",
    modules: ["dm_integrity"],
    tool: "integritysetup",
  },
  {
    uuid: /^CRYPT-SUBDEV-/,
    kind: "mapping",
    what: "dm-integrity",
    modules: ["dm_integrity"],
    tool: "cryptsetup",
  },
  { uuid: /^CRYPT-/, kind: "encryption", what: "dm-crypt", modules: ["dm_crypt"], tool: "cryptsetup" },
  { uuid: /^LVM-/, kind: "volume", what: "LVM", tool: "lvm" },
  {
    uuid: /^mpath-/,
    kind: "multipath",
    what: "multipath",
    modules: ["dm_multipath", "dm_service_time", "dm_round_robin", "dm_queue_length"],
    tool: "multipath",
  },
  { uuid: /^part\d+-mpath-/, kind: "partition", what: "a partition", tool: "multipath" },
  { uuid: /^part\d+-/, kind: "partition", what: "a partition" },
  { uuid: /^DMRAID-/, kind: "array", what: "dmraid", modules: ["dm_mirror", "dm_raid"] },
];

const UNKNOWN: Row = { uuid: /^/, kind: "mapping", what: "a mapping" };

/** Volumes that others are made of, by the endings that lvmdump's names have (lib/metadata of LVM2). */
const VOLUME_PARTS: readonly { readonly name: RegExp; readonly modules: readonly string[] }[] = [
  { name: /_r(?:image|meta)_\d+/, modules: ["dm_raid"] },
  { name: /_m(?:image_\d+|log)/, modules: ["dm_mirror"] },
  { name: /-(?:cow|real)$/, modules: ["dm_snapshot"] },
  { name: /_t(?:data|meta)|-tpool$/, modules: ["dm_thin_pool"] },
  { name: /_c(?:data|meta|orig|vol|pool)/, modules: ["dm_cache", "dm_cache_smq"] },
  { name: /_wcorig/, modules: ["dm_writecache"] },
  { name: /_v(?:data|pool)/, modules: ["dm_vdo", "kvdo"] },
  { name: /_i(?:meta|orig)/, modules: ["dm_integrity"] },
];

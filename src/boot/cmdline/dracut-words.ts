/**
 * Parameters of dracut.cmdline(7) that rdinit has nothing to do with: what asks for something that is not there gets a
 * sentence, so that nobody waits for it; what changes nothing is passed over in silence.
 */

import { type Word, sameName } from "./cmdline.ts";
import { switchValue } from "./switch-word.ts";

/** "nothing to do", or a sentence why the word is of no use; undefined for words that are not of dracut's. */
export function judgeDracutWord({ name, value }: Word): "nothing to do" | string | undefined {
  const row = ROWS.find(({ names }) => names.some((known) => isNamed(known, name)));
  if (row === undefined) return undefined;
  if (row.why === undefined) return SILENT;
  const on = value === undefined || switchValue(value);
  // Whoever switches off what is not there, or leaves on what is always so, gets it.
  return on === (row.silentWhen ?? false) ? SILENT : row.why;
}

const SILENT = "nothing to do";

interface Row {
  /** A name that ends with a dot stands for all that begin with it. */
  readonly names: readonly string[];
  /** A sentence; undefined when there is nothing to say. */
  readonly why?: string;
  /** The position of a switch in which there is nothing to say (default off). */
  readonly silentWhen?: boolean;
}

function isNamed(known: string, name: string): boolean {
  return known.endsWith(".") ? name.startsWith(known) : sameName(known, name);
}

const ROWS: readonly Row[] = [
  {
    names: ["rd.hostonly", "rd.memdebug", "rd.live.debug"],
  },
  { names: ["rd.iscsi.waitnet", "rd.iscsi.testroute", "rd.shutdown.", "rd.noverifyssl", "rd.minmem"] },
  { names: ["rd.locale.", "rd.luks.key.tout", "rd.fips.skipkernel", "rd.live.overlay.cowfs"] },
  {
    names: ["rd.auto"],
    why: "what the root needs is put together without being named; rd.md=0, rd.lvm=0 and rd.luks=0 forbid it.",
    silentWhen: true,
  },
  {
    names: ["rd.dm", "rd.dm.uuid"],
    why: "dmraid is not there.",
    silentWhen: false,
  },
  {
    names: ["rd.md.imsm", "rd.md.ddf"],
    why: "arrays of a firmware are not put together.",
  },
  {
    names: ["rd.md.waitclean"],
    why: "a resync goes on while the system starts, and is not waited for.",
  },
  {
    names: ["rd.lvm.conf"],
    why: "an lvm.conf counts when the image holds one.",
    silentWhen: true,
  },
  {
    names: ["rd.luks.partuuid", "rd.luks.serial"],
    why: "encrypted volumes are named by their own UUID: rd.luks.uuid=.",
  },
  {
    names: ["rd.multipath"],
    why: "multipath is not there: of several paths to a disk the first is used.",
  },
  { names: ["rd.nvmf.", "nvmf."], why: "NVMe over a network is not there." },
  { names: ["rd.nonvmf", "rd.nvmf.nonbft", "rd.nvmf.nostatic"] },
  { names: ["fcoe", "rd.fcoe"], why: "Fibre Channel over Ethernet is not there." },
  {
    names: ["rd.iscsi.mp"],
    why: "multipath is not there: of several paths to a target the first is used.",
  },
  { names: ["rd.iscsi.transport"], why: "iSCSI is done by the kernel's own network alone." },
  {
    names: ["rd.iscsi.login_retry_max"],
    why: "logins are tried until rd.timeout= ends the search for the root.",
  },
  { names: ["rd.nfs.domain"], why: "no helper for the names of users is started: NFS uses their numbers." },
  { names: ["cifsuser", "cifspass"], why: "CIFS is left to a hook of mount." },
  {
    names: ["rd.vconsole."],
    why: "the keyboard's layout and the font are those of the image, from the machine that it was built on.",
  },
  { names: ["rd.ctty"], why: "the rescue shell is on the last console= of the command line." },
  { names: ["rd.cmdline"], why: "nobody is asked for more parameters." },
  { names: ["rd.fips"], why: "no checksums are verified." },
  { names: ["rd.driver.export"], why: "the real system has to bring its own kernel modules." },
  {
    names: ["rootfallback"],
    why: "there is but one root; rd.break= or the rescue shell can mount another on /sysroot.",
  },
  {
    names: ["rd.overlay.crypt"],
    why: "no encrypted overlay is made: open the volume by rd.luks.name=UUID=NAME, and name it by rd.overlay=/dev/mapper/NAME.",
  },
  { names: ["rd.live.overlay.thin"], why: "overlays are made by overlayfs alone." },
  {
    names: ["rd.writable.fsimg"],
    why: "an image stays as it is: rd.live.ram=1 copies it to memory, rd.overlay=1 covers it.",
  },
  { names: ["rd.live.check"], why: "the medium is not checked." },
  {
    names: [
      "rd.cio_accept",
      "rd.dasd",
      "rd.dasd_mod",
      "rd.zfcp",
      "rd.zfcp.conf",
      "rd.zipl",
      "rd.znet",
      "rd.znet_ifname",
    ],
    why: "it is for mainframes.",
  },
];

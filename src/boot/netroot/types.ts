/** Roots that are no disk of the machine: what names them on the command line, as values. */

/** Any of them. "dhcp" is whatever the DHCP server says. */
export type NetRoot = NfsRoot | ShareRoot | NetDisk | { readonly kind: "dhcp" };

/** A root that is attached as a disk first. */
export type NetDisk = NbdDisk | IscsiDisk;

/** A directory of an NFS server. */
export interface NfsRoot {
  readonly kind: "nfs";
  /** False for "nfs4:", which is never mounted as version 3. */
  readonly mayBe3: boolean;
  /** A name or an address without brackets; undefined leaves it to DHCP. */
  readonly server: string | undefined;
  /** Undefined leaves it to DHCP. "%s" in it is the machine's name or address. */
  readonly path: string | undefined;
  /** As mount(8) takes them, separated by commas. */
  readonly options: string;
}

/** A directory that the machine's host shares, by its tag. */
export interface ShareRoot {
  readonly kind: "virtiofs" | "9p";
  readonly tag: string;
}

/** An export of an NBD server. */
export interface NbdDisk {
  readonly kind: "nbd";
  readonly server: string;
  /** Undefined is the protocol's own, 10809. */
  readonly port: number | undefined;
  /** The name of the export; undefined is the server's default. */
  readonly exportName: string | undefined;
  /** What the filesystem on it is mounted as and with; undefined where nothing is said. */
  readonly type: string | undefined;
  readonly flags: string | undefined;
  /** Further arguments of nbd-client. */
  readonly client: readonly string[];
}

/** A disk of an iSCSI target. */
export interface IscsiDisk {
  readonly kind: "iscsi";
  readonly server: string;
  readonly port: number;
  /** Its number among the disks of the target. */
  readonly lun: number;
  /** Its portal group. */
  readonly group: number;
  readonly target: string;
  /** The network interface to be used; undefined is the kernel's choice. */
  readonly netdev: string | undefined;
  readonly login: IscsiLogin;
}

/** CHAP: who we are to the target, and who the target shall be to us. */
export interface IscsiLogin {
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly userIn: string | undefined;
  readonly passwordIn: string | undefined;
}

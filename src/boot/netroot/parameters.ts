/** The table of what names roots elsewhere: dracut.cmdline(7), nfsroot.rst. settings.ts reads it. */

/** Also read for the network, which is that of the firmware then. */
export const firmwareParameter = {
  name: "rd.iscsi.firmware",
  usage: "rd.iscsi.firmware[=0|1]",
  meaning:
    "attach the disks that the firmware has booted from (iBFT), over the network that it has configured unless ip= says otherwise",
} as const;

/** In the order of the manual; root= has a row for each form. */
export const netRootParameters = [
  {
    name: "root",
    usage: "root=[nfs:|nfs4:][SERVER:]PATH[,OPTIONS]",
    meaning: "the root is a directory of an NFS server: by version 4 or 3, or (nfs4:) by no older one than 4",
  },
  {
    name: "root",
    usage: "root=/dev/nfs",
    meaning: "the same as the kernel has it, with nfsroot=",
  },
  {
    name: "nfsroot",
    usage: "nfsroot=[SERVER:]PATH[,OPTIONS]",
    meaning:
      "where that is (default /tftpboot/%s on the DHCP server, %s being the machine's name or address)",
  },
  {
    name: "root",
    usage: "root=virtiofs:TAG",
    meaning: "the root is a directory that the host shares with this virtual machine",
  },
  {
    name: "root",
    usage: "root=9p:TAG",
    meaning:
      "the same by 9P; virtfs: does as well, and so does TAG alone with rootfstype=9p or rootfstype=virtiofs",
  },
  {
    name: "root",
    usage: "root=nbd:SERVER:PORT[:TYPE[:FLAGS[:OPTIONS]]]",
    meaning:
      "the root is a disk of an NBD server, by its PORT or the name of an export; TYPE and FLAGS are as rootfstype= and " +
      "rootflags=, OPTIONS are nbd-client's",
  },
  {
    name: "root",
    usage:
      "root=iscsi:[USER:PASSWORD[:USER:PASSWORD]@]SERVER:[PROTOCOL]:[PORT]:[[IFACE]:[NETDEV]:][LUN]:TARGET",
    meaning: "the root is a disk of an iSCSI target, on the whole of it",
  },
  {
    name: "root",
    usage: "root=dhcp",
    meaning: "the DHCP server names the root (option 17, root-path), in any of these forms",
  },
  {
    name: "netroot",
    usage: "netroot=nbd:…|iscsi:…|dhcp",
    meaning:
      "attach this disk, or what the DHCP server names; root= says what on it is the root; may be given often",
  },
  {
    name: "rd.iscsi.initiator",
    usage: "rd.iscsi.initiator=NAME",
    meaning:
      "the name of this machine for iSCSI (default: that of /etc/iscsi/initiatorname.iscsi in the image)",
  },
  firmwareParameter,
  {
    name: "rd.iscsi.target.name",
    usage: "rd.iscsi.target.name=TARGET",
    meaning: "attach a disk of this target; rd.iscsi.target.ip=, rd.iscsi.target.port= say where it is",
  },
  { name: "rd.iscsi.target.ip", usage: "rd.iscsi.target.ip=SERVER", meaning: "its server" },
  { name: "rd.iscsi.target.port", usage: "rd.iscsi.target.port=PORT", meaning: "its port (default 3260)" },
  {
    name: "rd.iscsi.target.group",
    usage: "rd.iscsi.target.group=NUMBER",
    meaning: "the portal group of all targets (default 1)",
  },
  {
    name: "rd.iscsi.username",
    usage: "rd.iscsi.username=USER",
    meaning: "log in to targets by CHAP; everybody can read this and the password in /proc/cmdline",
  },
  { name: "rd.iscsi.password", usage: "rd.iscsi.password=PASSWORD", meaning: "the password for that" },
  {
    name: "rd.iscsi.in.username",
    usage: "rd.iscsi.in.username=USER",
    meaning: "what the target has to call itself",
  },
  {
    name: "rd.iscsi.in.password",
    usage: "rd.iscsi.in.password=PASSWORD",
    meaning: "the password by which it has to prove that",
  },
  {
    name: "rd.iscsi.param",
    usage: "rd.iscsi.param=NAME=VALUE",
    meaning: "a setting of the session, as in iscsid.conf; may be given often",
  },
] as const;

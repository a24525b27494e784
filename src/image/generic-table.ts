/**
 * Which modules `--generic` takes: all that a machine may need to reach its root and to ask for a passphrase.
 *
 * The folders are those of the kernel's source, as modules.dep names them below kernel/. Names are the kernel's,
 * with _, and may be shell patterns. What is left out falls into a few classes: programs for tests; the far side
 * of a disk (targets, backends of virtual machines); management interfaces beside a driver; devices that can't
 * hold a root, or no keys to press; file systems that need a cluster, or can't hold a Linux root. What these
 * bring all the same because a driver needs it comes along by modules.dep.
 */

/** Modules of one folder and all below it. */
export interface FolderRow {
  /** A folder below kernel/; `*` stands for one name. */
  readonly folder: string;
  /** Just these of it. */
  readonly only?: readonly string[];
  /** All but these. */
  readonly except?: readonly string[];
  readonly what: string;
}

/** For every image. */
export const GENERIC_ROWS: readonly FolderRow[] = [
  // Disks and what they hang from.
  { folder: "drivers/ata", except: ["pata_pcmcia"], what: "SATA and IDE" },
  {
    folder: "drivers/block",
    // Looking for a floppy drive takes seconds, and more where there is none.
    except: [
      ...["aoe", "nbd", "rbd", "rnbd*", "drbd"],
      ...["brd", "floppy", "null_blk", "pktcdvd", "ublk_drv", "xen_blkback", "zram"],
    ],
    what: "virtual disks, PCI flash, loop",
  },
  {
    folder: "drivers/scsi",
    except: [
      ...["be2iscsi", "bnx2fc", "bnx2i", "cxgb3i", "cxgb4i", "fcoe", "iscsi_tcp", "qedi", "qla4xxx"],
      ...["ch", "megaraid_mm", "scsi_debug", "ses", "st", "osst", "tcm_qla2xxx"],
      ...["*_cs"],
    ],
    what: "SCSI, SAS and Fibre Channel",
  },
  { folder: "drivers/message/fusion", except: ["mptctl", "mptlan"], what: "LSI's older SCSI, SAS and FC" },
  { folder: "drivers/ufs", what: "UFS" },
  { folder: "drivers/nvme/host", except: ["nvme_rdma", "nvme_tcp"], what: "NVMe" },
  { folder: "drivers/mmc", except: ["sdio_uart", "mmc_test", "sdricoh_cs"], what: "SD cards and eMMC" },
  { folder: "drivers/misc/cardreader", what: "card readers on PCI and USB" },
  { folder: "drivers/staging/rts5208", what: "card readers of older laptops" },
  { folder: "drivers/misc/cb710", what: "a card reader" },
  { folder: "drivers/misc", only: ["tifm_*"], what: "a card reader" },
  { folder: "drivers/firewire", only: ["firewire_ohci", "firewire_sbp2"], what: "FireWire disks" },
  { folder: "drivers/nvdimm", except: ["nfit_test*"], what: "persistent memory" },
  { folder: "drivers/acpi/nfit", what: "persistent memory" },
  { folder: "drivers/dax", only: ["dax_pmem*"], what: "persistent memory" },
  { folder: "drivers/cxl", what: "persistent memory behind CXL" },
  { folder: "drivers/cdrom", what: "optical discs" },

  // Buses.
  { folder: "drivers/usb/storage", what: "USB disks" },
  { folder: "drivers/usb/host", except: ["sl811*", "u132_hcd", "*_cs"], what: "USB controllers" },
  { folder: "drivers/usb/dwc3", what: "USB controllers" },
  { folder: "drivers/usb/roles", what: "who is host on a USB port" },
  { folder: "drivers/usb/typec/tcpm", what: "who is host on a USB-C port" },
  { folder: "drivers/thunderbolt", what: "disks and keyboards behind a dock" },
  { folder: "drivers/pci", only: ["pci_hyperv*", "vmd", "xen_pcifront"], what: "PCI buses behind others" },
  { folder: "drivers/hv", only: ["hv_vmbus"], what: "Hyper-V" },
  { folder: "drivers/virtio", except: ["virtio_balloon", "virtio_mem", "virtio_vdpa"], what: "virtio" },
  { folder: "drivers/char", only: ["virtio_console"], what: "the console of virtual machines" },
  { folder: "drivers/tty/serial/8250", only: ["8250_*"], what: "consoles on serial cards" },
  { folder: "drivers/char/hw_random", what: "random numbers, for which process 1 may have to wait" },
  { folder: "drivers/char/tpm", except: ["tpm_vtpm_proxy"], what: "keys kept in a TPM" },

  // Arrays, volumes, encryption.
  {
    folder: "drivers/md",
    except: ["dm_delay", "dm_dust", "dm_flakey", "dm_log_userspace", "dm_log_writes", "faulty", "md_cluster"],
    what: "arrays, volumes and mappings",
  },
  {
    folder: "crypto",
    except: ["ansi_cprng", "crypto_user", "tcrypt", "*_kunit"],
    what: "ciphers and hashes",
  },
  { folder: "arch/*/crypto", what: "the same by the processor's own instructions" },
  { folder: "drivers/crypto", only: ["padlock_*"], what: "the same" },

  // Keyboards: vendor drivers of HID are for more than games and drawing.
  {
    folder: "drivers/hid",
    except: [
      ...[
        "*ff",
        "hid_dr",
        "hid_pl",
        "hid_betop*",
        "hid_nintendo",
        "hid_playstation",
        "hid_sony",
        "hid_steam",
      ],
      ...[
        "hid_udraw_ps3",
        "hid_wiimote",
        "hid_thrustmaster",
        "hid_tmff",
        "hid_sjoy",
        "hid_mf",
        "hid_retrode",
      ],
      ...["hid_kye", "hid_uclogic", "hid_waltop", "hid_viewsonic", "wacom", "hid_ntrig", "hid_penmount"],
      ...["hid_cp2112", "hid_ft260", "hid_mcp2221", "hid_led", "hid_u2fzero", "hid_picolcd", "hid_prodikeys"],
      ...["hid_sensor_*", "amd_sfh", "intel_ish*", "hid_steelseries", "hid_plantronics", "hid_jabra"],
      ...["hid_accutouch", "hid_appleir", "hid_icade", "hid_gfrm", "hid_elo", "uhid", "*test*"],
    ],
    what: "keyboards on USB, I2C and others",
  },
  { folder: "drivers/input/keyboard", except: ["*test*"], what: "keyboards" },
  { folder: "drivers/input/serio", only: ["i8042", "libps2", "hyperv_keyboard"], what: "PS/2 keyboards" },
  // On some laptops the keyboard is dead until somebody has spoken to the touchpad.
  { folder: "drivers/input/mouse", only: ["psmouse"], what: "the other half of a PS/2 controller" },
  { folder: "drivers/i2c/busses", only: ["i2c_designware*", "i2c_amd_mp2*", "i2c_cht_wc"], what: "laptops" },
  { folder: "drivers/mfd", only: ["intel_lpss*"], what: "the I2C and SPI buses of laptops" },
  { folder: "drivers/mfd", only: ["intel_soc_pmic*", "axp20x*"], what: "the power of tablets' eMMC" },
  { folder: "drivers/spi", only: ["spi_pxa2xx*"], what: "the keyboards of MacBooks" },
  { folder: "drivers/dma", only: ["idma64", "dw_dmac*"], what: "the same" },
  { folder: "drivers/pinctrl", what: "the interrupts of laptops' keyboards" },
  { folder: "drivers/platform/surface", only: ["surface_aggregator*"], what: "the keyboards of Surface" },
  {
    folder: "drivers/platform/chrome",
    only: ["cros_ec", "cros_ec_lpcs", "cros_ec_i2c", "cros_ec_spi"],
    what: "Chromebooks",
  },

  // File systems.
  {
    folder: "fs",
    except: [
      // Over a network: below.
      ...[
        "nfs*",
        "blocklayoutdriver",
        "grace",
        "lockd",
        "cifs*",
        "ksmbd",
        "ceph",
        "kafs",
        "coda",
        "orangefs",
      ],
      // For a cluster that has to be there first.
      ...["dlm", "gfs2", "ocfs2*"],
      // Never a root: shares and interfaces of the kernel, and other systems' disks.
      ...["autofs4", "binfmt_misc", "cachefiles", "configfs", "cuse", "ecryptfs", "efivarfs", "vboxsf"],
      ...["pstore*", "ramoops", "zonefs", "*_test", "*_kunit"],
      // On raw flash, which PCs have not.
      ...["jffs2", "romfs", "ubifs"],
      ...[
        "adfs",
        "affs",
        "befs",
        "bfs",
        "efs",
        "freevxfs",
        "hfs",
        "hpfs",
        "omfs",
        "qnx4",
        "qnx6",
        "sysv",
        "ufs",
      ],
      // Character sets: these four are what vfat asks for.
      ...["mac_*", "nls_[!aiu]*", "nls_iso8859_[2-9]", "nls_iso8859_1?", "nls_ucs2_utils"],
    ],
    what: "file systems",
  },
  { folder: "fs/nls", only: ["nls_cp437"], what: "what vfat asks for" },
  { folder: "net/9p", only: ["9pnet_virtio", "9pnet_xen"], what: "a root shared by the host" },
];

/** Besides, when the network is asked for. */
export const NETWORK_ROWS: readonly FolderRow[] = [
  {
    folder: "drivers/net/ethernet",
    // The firmware of these is larger than a whole image.
    except: ["*_cs", "liquidio*", "mlxsw*", "nfp"],
    what: "network cards",
  },
  {
    folder: "drivers/net",
    only: ["virtio_net", "vmxnet3", "hv_netvsc", "xen_netfront", "fjes"],
    what: "virtual ones",
  },
  {
    folder: "drivers/net/usb",
    except: [
      ...["cdc_phonet", "cdc_mbim", "cx82310_eth", "gl620a", "hso", "huawei_cdc_ncm", "ipheth", "kalmia"],
      ...["lg_vl600", "net1080", "plusb", "qmi_wwan", "sierra_net", "zaurus"],
    ],
    what: "network adapters on USB",
  },
  { folder: "drivers/net/phy", what: "the sockets of network cards" },
  { folder: "drivers/net/mdio", what: "the same" },
  { folder: "drivers/net/bonding", what: "bonds" },
  { folder: "drivers/net/team", what: "teams" },
  { folder: "net/8021q", what: "VLANs" },
  { folder: "net/bridge", only: ["bridge"], what: "bridges" },
  { folder: "net/packet", only: ["af_packet"], what: "DHCP" },
  { folder: "net/ipv6", only: ["ipv6"], what: "IPv6" },
  { folder: "drivers/block", only: ["aoe", "nbd", "rbd"], what: "disks over the network" },
  {
    folder: "drivers/scsi",
    only: ["be2iscsi", "bnx2fc", "bnx2i", "cxgb3i", "cxgb4i", "fcoe", "iscsi_tcp", "qedi", "qla4xxx"],
    what: "iSCSI and FCoE",
  },
  { folder: "drivers/firmware", only: ["iscsi_ibft"], what: "what the firmware knows of iSCSI" },
  { folder: "drivers/nvme/host", only: ["nvme_tcp", "nvme_rdma"], what: "NVMe over the network" },
  { folder: "fs/nfs", what: "NFS" },
  { folder: "fs/smb/client", what: "SMB" },
  { folder: "fs/cifs", what: "SMB, in older kernels" },
  { folder: "fs/ceph", what: "Ceph" },
  { folder: "net/9p", only: ["9pnet_fd"], what: "9P over TCP" },
];

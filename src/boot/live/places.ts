/** Where the parts of a live root are mounted, as dracut has it: below /run, which the real root takes over. */

export const livePlaces = {
  /** The filesystem that holds the image. */
  device: "/run/initramfs/live",
  /** The filesystem that holds the image of a disc. */
  isoDevice: "/run/initramfs/isoscan",
  /** The copy of the image in memory. */
  memory: "/run/initramfs/ram",
  /** The image, when it holds another that is the root. */
  outer: "/run/initramfs/squashfs",
  /** The root below the overlay. */
  base: "/run/rootfsbase",
  /** The filesystem that holds the overlay. */
  overlayDisk: "/run/initramfs/overlayfs",
  /** The overlay, when it is an image file there. */
  overlayImage: "/run/initramfs/overlayimage",
  /** The overlay in memory. */
  overlayMemory: "/run/overlayfs",
} as const;

/**
 * Mounts below here stay for the real init, which has to unmount, or make read-only, what holds up its root before
 * the machine goes off.
 */
export const keptMounts: readonly string[] = ["/run/initramfs", livePlaces.base, livePlaces.overlayMemory];

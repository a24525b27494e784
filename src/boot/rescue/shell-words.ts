/** How a shell for people is begun. */

export const shell = "/bin/sh";

/**
 * Shell words that bring all of busybox. An image names only two of its applets (src/image/busybox.ts); a person wants
 * them all. A boot partition has them (src/install/rescue.ts), and may be read-only.
 */
export const installApplets =
  "b=/bin/busybox; if [ -x $b ] && [ ! -e /etc/rdinit/rescue ]; then " +
  "$b mkdir -p /bin /sbin /usr/bin /usr/sbin; $b --install -s 2>/dev/null; fi; unset b";

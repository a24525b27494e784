/** Parameters of live roots, superblocks of images, and options of overlays: whatever they hold. */

import { expect, test } from "bun:test";
import fc from "fast-check";
import { parseCommandLine } from "../../src/boot/cmdline/cmdline.ts";
import { describeCut, measureImage } from "../../src/boot/live/image.ts";
import { withoutLive } from "../../src/boot/live/overlay-words.ts";
import { liveParameters, readLiveSettings } from "../../src/boot/live/settings.ts";
import { defaultPlace, overlayOptions } from "../../src/boot/live/overlay-plan.ts";

const byte = fc.integer({ min: 1, max: 255 }).map((code) => String.fromCharCode(code));
const value = fc.oneof(
  fc.string({ unit: byte, maxLength: 20 }),
  fc.string({ unit: fc.constantFrom("0", "1", "8", ":", "/", ".", "%", "a"), maxLength: 12 }),
  fc.constantFrom("LABEL=x", "live:LABEL=x", "CDLABEL=x:y", "none", "auto", "50%", "yes", "/dev/sda:../x"),
);
const word = fc.record({
  name: fc.constantFrom(...liveParameters.map(({ name }) => name)),
  value: fc.option(value, { nil: undefined }),
});

test("any words are read or told of, one complaint for each that is left out", () => {
  fc.assert(
    fc.property(fc.array(word, { maxLength: 8 }), (words) => {
      const { settings, complaints } = readLiveSettings(words);
      const alone = words.flatMap((one) => readLiveSettings([one]).complaints);
      expect(complaints).toEqual(alone);
      for (const path of [settings.directory, settings.image, settings.overlay.disk?.path ?? "x"])
        expect(path.split("/")).not.toContain("..");
      expect(settings.image).not.toBe("");
      expect(settings.overlay.size).toMatch(/^(?:[1-9]\d*m|\d+%)$/);
    }),
  );
});

test("what is said of a word survives the command line", () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[a-zA-Z0-9_-]{1,16}$/), (label) => {
      const { settings } = readLiveSettings(
        parseCommandLine(`root=live:LABEL=${label} rd.overlay=LABEL=${label}:p/${label}`),
      );
      expect(settings.live).toBe(true);
      expect(settings.overlay.disk).toEqual({
        device: { kind: "tag", tag: "LABEL", value: label, partitionOffset: 0 },
        path: `p/${label}`,
      });
    }),
  );
});

test("a root without live: in front is as it was", () => {
  fc.assert(
    fc.property(fc.string({ unit: byte }), (root) => {
      fc.pre(!/^(?:live:|cdlabel=)/i.test(root));
      expect(withoutLive(root)).toBe(root);
      expect(withoutLive(`live:${root}`)).toBe(root);
    }),
  );
});

test("no superblock is too short or too wild", () => {
  const squashfs = fc
    .uint8Array({ maxLength: 200 })
    .map((rest) => new Uint8Array([...Buffer.from("hsqs"), ...rest]));
  const erofs = fc.uint8Array({ maxLength: 200 }).map((rest) => {
    const bytes = new Uint8Array(1024 + 4 + rest.length);
    bytes.set([0xe2, 0xe1, 0xf5, 0xe0], 1024);
    bytes.set(rest, 1028);
    return bytes;
  });
  fc.assert(
    fc.property(fc.oneof(squashfs, erofs, fc.uint8Array({ maxLength: 2048 })), fc.nat(), (head, held) => {
      const measured = measureImage(head);
      if (measured !== undefined) expect(measured.size_bytes).toBeGreaterThanOrEqual(0);
      expect(describeCut("x", measured, held) === undefined).toBe((measured?.size_bytes ?? 0) <= held);
    }),
  );
});

/** Cuts at a separator that no backslash stands before, as ovl_next_opt() in the kernel's fs/overlayfs does. */
function cut(list: string, separator: string): string[] {
  const pieces = [""];
  for (const [letter] of list.matchAll(/\\[^]|[^]/g)) {
    if (letter === separator) pieces.push("");
    else pieces.push((pieces.pop() ?? "") + letter);
  }
  return pieces;
}

function unescape(path: string): string {
  return path.replace(/\\([^])/g, "$1");
}

test("the directories of an overlay are what the kernel makes of its options", () => {
  const path = fc.string({ unit: byte, maxLength: 12 }).map((name) => `/${name}`);
  fc.assert(
    fc.property(fc.array(path, { minLength: 1, maxLength: 3 }), path, path, (lower, upper, work) => {
      const options = cut(overlayOptions({ lower, upper, work }), ",");
      expect(options.map((option) => option.replace(/=[^]*/, ""))).toEqual([
        "lowerdir",
        "upperdir",
        "workdir",
      ]);
      const [below = "", above = "", beside = ""] = options.map((option) => option.replace(/^\w+=/, ""));
      expect(cut(below, ":").map(unescape)).toEqual(lower);
      expect([above, beside].map(unescape)).toEqual([upper, work]);
    }),
  );
});

test("an overlay's name is one name in its directory", () => {
  fc.assert(
    fc.property(fc.string({ unit: byte }), fc.string({ unit: byte }), (label, uuid) => {
      expect(defaultPlace("LiveOS", label, uuid).split("/")).toHaveLength(2);
    }),
  );
});

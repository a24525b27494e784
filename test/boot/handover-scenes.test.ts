/** The hand-over after boots of every kind: the real init finds what a start by the kernel would have given it. */

import { beforeAll, expect, test } from "bun:test";
import { NO_GROUP, groupOf } from "../../qemu/handover/groups.ts";
import { SCENES, playScene, sceneImage } from "../../qemu/handover/scenes.ts";
import { describeDifferences } from "../../qemu/probe.ts";
import { MACHINE_MS, TEST_MS } from "../../qemu/scenario.ts";
import { temporaryDirectory } from "../fixtures/temporary.ts";

const dir = temporaryDirectory();
let initrd: string;

beforeAll(async () => {
  initrd = await sceneImage();
}, TEST_MS);

// The others are the first thing that their own tests compare.
for (const scene of SCENES.filter(({ testedBy }) => testedBy === undefined))
  test(
    scene.name,
    async () => {
      const { direct, through, differences } = await playScene(scene, initrd, dir);
      expect(describeDifferences(differences)).toBe("");
      // The table of `make handover` has a row for everything that the probe tells.
      expect([...direct.keys(), ...through.keys()].filter((key) => groupOf(key) === NO_GROUP)).toEqual([]);
    },
    // Its disks are made in a guest the first time.
    2 * MACHINE_MS + TEST_MS,
  );

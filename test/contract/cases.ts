/** The whole contract, in order: what puts SIGPIPE back comes after what needs it ignored. */

import { changeCases } from "./cases/changes.ts";
import { descriptorCases } from "./cases/descriptors.ts";
import { nameCases } from "./cases/names.ts";
import { networkCases } from "./cases/network.ts";
import { peripheralCases } from "./cases/peripherals.ts";
import { processCases } from "./cases/processes.ts";
import { slowCases } from "./cases/slow.ts";
import { treeCases } from "./cases/tree.ts";
import type { Case } from "./contract.ts";
import type { Method } from "../../syscalls/methods.ts";

export const cases: readonly Case[] = [
  ...nameCases,
  ...changeCases,
  ...descriptorCases,
  ...treeCases,
  ...peripheralCases,
  ...networkCases,
  ...slowCases,
  ...processCases,
];

/** The methods that no case can call to the end, and where they are checked instead. */
export const notInCases: Readonly<Partial<Record<Method, string>>> = {
  reboot: "ends the machine; in a process namespace of its own it ends that alone (contract.test.ts)",
};

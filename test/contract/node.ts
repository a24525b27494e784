/** The contract over node-ffi-napi, as a program for Node.js once it is bundled. */

import { napiDriver } from "../../syscalls/napi.ts";
import { main } from "./main.ts";

main(napiDriver()).catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});

/** The contract over bun:ffi, as a program. */

import { bunDriver } from "../../syscalls/bun.ts";
import { main } from "./main.ts";

main(bunDriver()).catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});

import { expect, test } from "bun:test";
import { join } from "node:path";
import { PROJECT } from "../../qemu/host.ts";
import { HEAD_SIZE, readIdentity } from "../../src/stub/identity.ts";

test("both forms of the built program say the same build", async () => {
  const heads = await Promise.all(
    ["build/rdinit", "build/init"].map((path) => Bun.file(join(PROJECT, path)).slice(0, HEAD_SIZE).bytes()),
  );
  const [plain, packed] = heads.map((head) => readIdentity(head));
  expect(plain?.build).toBe(packed?.build);
  expect(plain?.size).not.toBe(packed?.size);
});

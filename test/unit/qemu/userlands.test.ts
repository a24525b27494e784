import { expect, test } from "bun:test";
import { forSources } from "../../../qemu/userlands/busybox-build.ts";
import { networkSettings, parseRelease, parseSourceEntries } from "../../../qemu/userlands/apt.ts";
import { userlandDisks } from "../../../qemu/userlands/disks.ts";
import { USERLAND, etcFiles } from "../../../qemu/userlands/etc.ts";

test("the release of a machine", () => {
  expect(parseRelease('PRETTY_NAME="x"\nVERSION_CODENAME=bookworm\nID=debian\n')).toEqual({
    id: "debian",
    codename: "bookworm",
  });
  expect(parseRelease('ID="arch"\nBUILD_ID=rolling\n')).toEqual({ id: "arch", codename: undefined });
});

test("the files that name archives, each once", () => {
  const lines =
    "/etc/apt/sources.list:3\n/etc/apt/sources.list.d/debian.sources:1\n/etc/apt/sources.list:4\n";
  expect(parseSourceEntries(lines)).toEqual([
    "/etc/apt/sources.list",
    "/etc/apt/sources.list.d/debian.sources",
  ]);
  expect(parseSourceEntries("")).toEqual([]);
});

test("what apt is told of the network, and nothing else", () => {
  const dump = [
    'Acquire "";',
    'Acquire::http "";',
    'Acquire::http::Proxy "http://proxy:3128";',
    'Acquire::https::CAInfo "/etc/ssl/own.pem";',
    'Acquire::Check-Valid-Until "false";',
    'Acquire::Retries "3";',
    'Acquire::IndexTargets::deb::Packages::MetaKey "$(COMPONENT)/binary";',
    'Acquire::Languages "none";',
  ];
  expect(networkSettings(dump.join("\n"))).toEqual([dump[2], dump[3], dump[4], dump[5]] as string[]);
});

function crypttab(unlock: "key file" | "passphrase") {
  const files = etcFiles(unlock);
  const entry = files.find(({ path }) => path === "/etc/crypttab");
  const [, , key = ""] = entry?.kind === "text" ? entry.text.split(" ") : [];
  return { key, files: files.filter(({ path }) => path === key).length };
}

test("crypttab names a key file that is there, or none", () => {
  expect(crypttab("key file")).toEqual({ key: "/etc/keys/root.key", files: 1 });
  expect(crypttab("passphrase")).toEqual({ key: "none", files: 0 });
});

test("the disks are filled from the tree", () => {
  const recipe = userlandDisks("systemd", "/cache/tree");
  expect(recipe.inputs).toEqual(["/cache/tree"]);
  expect(recipe.script).toContain(USERLAND.mapping);
});

test("apt's lists with the sources of its packages in their place, in both forms", () => {
  expect(forSources("# x\ndeb [signed-by=/k] http://a b main\ndeb-src http://a b main\n")).toBe(
    "# x\ndeb-src [signed-by=/k] http://a b main\ndeb-src http://a b main\n",
  );
  expect(forSources("Types: deb\nURIs: http://a\nSuites: b\n")).toBe(
    "Types: deb-src\nURIs: http://a\nSuites: b\n",
  );
});

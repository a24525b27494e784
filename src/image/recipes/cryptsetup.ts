/** What cryptsetup opens while it runs: OpenSSL's old ciphers, and the plugins for keys in chips and tokens. */

import { fromBytes } from "../../lib/bytes.ts";
import type { FileTree } from "../file-tree.ts";
import { findFiles, findLibraryFiles, type Opened } from "./look.ts";
import type { RecipeAddition, RecipeContext } from "./recipe.ts";

/** The device-mapper targets, the kernel's ciphers for programs, and the ciphers that disks are encrypted with. */
export const CRYPT_MODULES: readonly string[] = [
  ...["dm_mod", "dm_crypt", "dm_integrity", "algif_skcipher", "algif_hash"],
  ...["crypto-xts", "crypto-cbc", "crypto-ecb", "crypto-ctr", "crypto-essiv"],
  ...["crypto-adiantum", "crypto-xchacha12", "crypto-nhpoly1305"],
  ...["crypto-aes", "crypto-serpent", "crypto-twofish", "crypto-camellia"],
  ...["crypto-sha1", "crypto-sha256", "crypto-sha512", "crypto-rmd160", "crypto-wp512"],
  ...["crypto-hmac", "crypto-authenc", "crypto-aegis128"],
];

/**
 * OpenSSL's configuration, and its modules: hashes that are no longer in libcrypto itself (whirlpool, ripemd160),
 * and the certified ones that the configuration may ask for.
 */
export function opensslAddition(root: FileTree, { programs: [program = ""] }: RecipeContext): RecipeAddition {
  const { paths, links } = findLibraryFiles(root, program, [
    "ossl-modules/legacy.so",
    "ossl-modules/fips.so",
  ]);
  return { programs: paths, links, files: opensslFiles(root) };
}

/** For cryptsetup: OpenSSL, and the token plugins that can work. */
export function cryptsetupAddition(root: FileTree, context: RecipeContext): RecipeAddition {
  const { programs = [], links = [], files = [] } = opensslAddition(root, context);
  const tokens = tokenPlugins(root, context.programs[0] ?? "");
  return {
    programs: [...programs, ...tokens.paths],
    links: [...links, ...tokens.links],
    files,
    modulesIfThere: tokens.modules,
  };
}

/** What a plugin opens in turn (systemd's src/shared/tpm2-util.c and libfido2-util.c), and the devices it talks to. */
interface TokenPlugin {
  readonly opens: readonly string[];
  readonly modules: readonly string[];
}

// Others need nothing but the libraries that their headers name.
const TOKEN_PLUGINS: Readonly<Record<string, TokenPlugin>> = {
  "libcryptsetup-token-systemd-tpm2.so": {
    opens: ["libtss2-esys.so.0", "libtss2-rc.so.0", "libtss2-mu.so.0", "libtss2-tcti-device.so.0"],
    modules: ["tpm_crb", "tpm_tis"],
  },
  "libcryptsetup-token-systemd-fido2.so": {
    opens: ["libfido2.so.1"],
    modules: ["usbhid", "hid_generic"],
  },
};

/** It asks a daemon for smart cards that no image has. */
const USELESS = "libcryptsetup-token-systemd-pkcs11.so";

// A plugin whose libraries are not all installed does nothing in the root either, and is left out with them.
function tokenPlugins(root: FileTree, program: string): Opened & { readonly modules: readonly string[] } {
  const paths: string[] = [];
  const links: Opened["links"][number][] = [];
  const modules: string[] = [];
  for (const path of findLibraryFiles(root, program, ["cryptsetup/libcryptsetup-token-*.so"]).paths) {
    const name = path.slice(path.lastIndexOf("/") + 1);
    const known = TOKEN_PLUGINS[name];
    const opened = findLibraryFiles(root, program, known?.opens ?? []);
    if (name === USELESS || opened.paths.length < (known?.opens.length ?? 0)) continue;
    paths.push(path, ...opened.paths);
    links.push(...opened.links);
    modules.push(...(known?.modules ?? []));
  }
  return { paths, links, modules };
}

/** OPENSSLDIR as Debian, Fedora and the others build it. */
const OPENSSL_DIRECTORIES: readonly string[] = ["/usr/lib/ssl", "/etc/pki/tls", "/etc/ssl"];
const MOST_INCLUDES = 32;

// The configuration and the files that it includes (config(5ssl)).
function opensslFiles(root: FileTree): string[] {
  const first = OPENSSL_DIRECTORIES.map((directory) => `${directory}/openssl.cnf`).find(
    (path) => root.resolve(path)?.type === "file",
  );
  const files = new Set<string>();
  const queue = first === undefined ? [] : [first];
  for (let path = queue.shift(); path !== undefined && files.size < MOST_INCLUDES; path = queue.shift()) {
    if (files.has(path)) continue;
    files.add(path);
    const content = fromBytes(root.read(path) ?? new Uint8Array(0));
    for (const [, included = ""] of content.matchAll(/^[ \t]*\.include[ \t]*(?:=[ \t]*)?(\/\S+)/gm))
      queue.push(
        ...(root.resolve(included)?.type === "directory" ? inDirectory(root, included) : [included]),
      );
  }
  return [...files].filter((path) => root.resolve(path)?.type === "file");
}

function inDirectory(root: FileTree, directory: string): string[] {
  return [...findFiles(root, `${directory}/*.cnf`), ...findFiles(root, `${directory}/*.conf`)];
}

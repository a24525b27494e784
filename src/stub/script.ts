/**
 * What of the .bun section a boot needs: Bun appends there the chunks of the program, each as source text and as bytecode,
 * and the bytecode of those of its own modules that the program imports.
 *
 * Process 1 runs bytecode; the source text is for what reads it (Function.prototype.toString), and one chunk is the
 * command-line tool. The layout is not documented: this follows StandaloneModuleGraph.zig of Bun 1.4, and what it can't follow it
 * takes for needed.
 */

/** Offsets in the section. */
export interface Stretch {
  readonly start: number;
  readonly end: number;
}

/** The stretches that no boot needs, in no order. None when this is not the layout that is known. */
export function coldStretches(section: Uint8Array): Stretch[] {
  const s = Buffer.from(section.buffer, section.byteOffset, section.byteLength);
  const end = s.lastIndexOf(TRAILER);
  /** Throws RangeError beyond the end, as the words are what a file says. */
  const stretch = (at: number): Stretch => {
    const start = BODY + s.readUInt32LE(at);
    const size = s.readUInt32LE(at + 4);
    if (start + size > end) throw new RangeError("not the layout that is known");
    return { start, end: start + size };
  };
  try {
    const records = stretch(end - 24);
    const modules = Array.from({ length: (records.end - records.start) / MODULE }, (_, i) => {
      const at = records.start + i * MODULE;
      return { name: wordsOf(s, stretch(at)), source: stretch(at + 8), bytecode: stretch(at + 24) };
    });
    const imports = modules.map(({ name, source }) => ({ name, source: wordsOf(s, source) }));
    const needed = reachable(imports, s.readUInt32LE(end - 16));
    const cold = modules.flatMap((m) => (needed.has(m.name) ? [m.source] : [m.source, m.bytecode]));
    // A hash for each module, and a counted list of number, offset and size.
    const own = records.end + 4 * modules.length;
    for (let at = own + 4, left = s.readUInt32LE(own); left > 0; at += 12, left--)
      if (s.readUInt32LE(at) !== BUN_FFI) cold.push(stretch(at + 4));
    return cold;
  } catch (error) {
    if (error instanceof RangeError) return [];
    throw error;
  }
}

function wordsOf(section: Buffer, { start, end }: Stretch): string {
  return section.toString("latin1", start, end);
}

interface Module {
  readonly name: string;
  readonly source: string;
}

/** The names of the modules that the entry may import, without those that only the tool does. */
function reachable(modules: readonly Module[], entry: number): Set<string> {
  const found = new Set<string>();
  const visit = (module: Module | undefined): void => {
    if (module === undefined || found.has(module.name) || TOOL.test(module.name)) return;
    found.add(module.name);
    for (const other of modules) if (module.source.includes(`"${other.name}"`)) visit(other);
  };
  visit(modules[entry]);
  return found;
}

const TRAILER = "\n---- Bun! ----\n";
/** The section begins with the size of what follows, from where all offsets count. */
const BODY = 8;
/** The size of a module's record: name, source, source map, bytecode, … each by offset and size. */
const MODULE = 52;
/** The number of bun:ffi among Bun's own modules, the only one that process 1 imports. */
const BUN_FFI = 1;
/** The chunk of src/cli.ts, which src/main.ts imports when it is not process 1. */
const TOOL = /\/cli-[^/]*$/;

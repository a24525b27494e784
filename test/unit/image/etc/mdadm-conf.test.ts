import { expect, test } from "bun:test";
import { reduceMdadmConf } from "../../../../src/image/etc/mdadm-conf.ts";

const ROOT = "00112233:44556677:8899aabb:ccddeeff";
const OTHER = "ffeeddcc:bbaa9988:77665544:33221100";

const CONTENT = `# mdadm.conf
DEVICE /dev/sd* containers # all
DEV partitions

create owner=root
  # a comment does not end the line
\tgroup=disk mode=0660
HOMEHOST <system>
AUTO +1.x -all
MAILADDR root
MAILF me
  and my mail
program /usr/sbin/handle-mdadm-events
MonitorDelay 60
ARRAY /dev/md/root metadata=1.2
   UUID=${ROOT} name='x:the root'
arr <ignore> UUID=${OTHER}
ARRAY /dev/md/data uuid=${OTHER}
ARRAY /dev/md2 super-minor=2
POLICY domain=d path=pci-* action=spare
ENCRYPTION_NO_VERIFY sata_opal
`;

test("keeps what says which arrays there are, and drops what is for the monitor", () => {
  expect(reduceMdadmConf(CONTENT, undefined)).toBe(`DEVICE /dev/sd* containers # all
DEV partitions
create owner=root
\tgroup=disk mode=0660
HOMEHOST <system>
AUTO +1.x -all
ARRAY /dev/md/root metadata=1.2
   UUID=${ROOT} name='x:the root'
arr <ignore> UUID=${OTHER}
ARRAY /dev/md/data uuid=${OTHER}
ARRAY /dev/md2 super-minor=2
POLICY domain=d path=pci-* action=spare
ENCRYPTION_NO_VERIFY sata_opal
`);
});

test("keeps the arrays that are wanted, in any spelling, and those that have no UUID", () => {
  const reduced = reduceMdadmConf(CONTENT, ["00112233-4455-6677-8899-AABBCCDDEEFF"]);
  expect(reduced).toContain("/dev/md/root");
  expect(reduced).toContain("<ignore>");
  expect(reduced).toContain("/dev/md2");
  expect(reduced).not.toContain("/dev/md/data");
  expect(reduceMdadmConf(CONTENT, [])).not.toContain("/dev/md/root");
});

test("keeps the container of a wanted array", () => {
  const content = `ARRAY metadata=imsm UUID=${OTHER}\nARRAY /dev/md/vol container=${OTHER} member=0 UUID=${ROOT}\n`;
  expect(reduceMdadmConf(content, [ROOT])).toBe(content);
});

test("a # within a word, and one in quotes, is no comment", () => {
  const content = `ARRAY /dev/md/a#b "UUID=${ROOT}"\nARRAY '/dev/md/# x' UUID=${OTHER}\n`;
  expect(reduceMdadmConf(content, [ROOT])).toBe(`ARRAY /dev/md/a#b "UUID=${ROOT}"\n`);
});

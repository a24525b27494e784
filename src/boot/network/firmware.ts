/** What the firmware knows of the network: its table for iSCSI, which the kernel shows in /sys/firmware/ibft. */

import { type IbftNic, ibftFiles, wantsIbft, withIbft } from "../../network/ibft.ts";
import { namesIn, readAttribute } from "../devices/attributes.ts";
import type { Session } from "./session.ts";

/** Puts the table's interfaces in the place of ip=ibft, when that was asked for. */
export async function adoptFirmware(session: Session): Promise<void> {
  const { boot } = session;
  if (!wantsIbft(session.settings)) return;
  await session.loadModules(["iscsi_ibft"]);
  const nics = namesIn(boot.sys, DIRECTORY)
    .filter((name) => name.startsWith("ethernet"))
    .map((name): IbftNic => {
      const fields = ibftFiles.map((file) => [file, readAttribute(boot.sys, `${DIRECTORY}/${name}/${file}`)]);
      return Object.fromEntries(fields.filter(([, value]) => value !== undefined)) as IbftNic;
    });
  const { settings, problem } = withIbft(session.settings, nics);
  session.settings = settings;
  if (problem !== undefined) boot.log.warning(problem);
}

const DIRECTORY = "/sys/firmware/ibft";

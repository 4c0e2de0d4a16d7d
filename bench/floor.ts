import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { FloorResult, FloorTask } from "./floor/program.ts";
import { keepTrackOf } from "./start-server.ts";

export type { FloorResult };

/** Measures the floor in a process of its own: an engine of history opens one directory a process. */
export async function measureFloor(task: FloorTask): Promise<FloorResult> {
  const child = keepTrackOf(fork(fileURLToPath(new URL("floor/program.ts", import.meta.url)), [JSON.stringify(task)]));
  let result: FloorResult | undefined;
  child.on("message", (message) => (result = message as FloorResult));
  const [code] = (await once(child, "exit")) as [number | null];
  if (!result) throw new Error(`the floor ended with ${code} and no result`);
  return result;
}

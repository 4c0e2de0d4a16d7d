import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const bin = fileURLToPath(new URL("../../bin/tributary.js", import.meta.url));

export interface CommandEnd {
  code: number | null;
  /** Both of its outputs. */
  output: string;
}

/** Runs `tributary` with nothing in the environment but what is given. */
export function runCommand(args: string[], env: Record<string, string>, onStart: (child: ChildProcess) => void = () => undefined): Promise<CommandEnd> {
  const child = spawn(process.execPath, [bin, ...args], { env: { PATH: process.env["PATH"] ?? "", ...env }, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
  onStart(child);
  return new Promise((resolve) => child.once("close", (code) => resolve({ code, output })));
}

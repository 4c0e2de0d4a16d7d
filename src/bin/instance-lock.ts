import { createHash } from "node:crypto";
import { realpath, unlink } from "node:fs/promises";
import { connect, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * Makes sure that one process runs on a data directory: a listening socket is given up by the system however the process
 * ends, so nothing stale can remain but the file. Resolves with the function that gives the lock back.
 */
export async function lockInstance(dataDir: string): Promise<() => Promise<void>> {
  const name = createHash("sha256").update(await realpath(dataDir)).digest("hex").slice(0, 24);
  const path = join(tmpdir(), `tributary-${name}.lock`);
  const server = await listen(path).catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== "EADDRINUSE") throw error;
    if (await answers(path)) throw new Error(`Another Tributary runs on ${dataDir}. Stop it, or set DATA_DIR to another directory.`);
    await unlink(path).catch(() => undefined);
    return listen(path);
  });
  server.unref();
  return () => new Promise((resolve) => server.close(() => resolve()));
}

function listen(path: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once("error", reject);
    server.listen(path, () => resolve(server));
  });
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => resolve(true));
    socket.once("error", () => resolve(false));
    socket.unref();
  });
}

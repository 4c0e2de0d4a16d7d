import { createHash } from "node:crypto";
import { realpath, unlink } from "node:fs/promises";
import { connect, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Longest path of a Unix socket that every platform takes. */
const socketPathMax = 100;

/**
 * Makes sure that one process runs on a data directory: a listening socket is given up by the system however the process
 * ends, so nothing stale can remain but the file. Resolves with the function that gives the lock back.
 */
export async function lockInstance(dataDir: string): Promise<() => Promise<void>> {
  const path = socketPath(await realpath(dataDir));
  const server = await listen(path).catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== "EADDRINUSE") throw error;
    if ((await holderOf(path)) !== undefined) throw inUse(dataDir);
    await unlink(path).catch(() => undefined);
    return listen(path);
  });
  // Two that start at once may both have cleared a stale file: the one whose socket the path leads to holds the lock.
  if ((await holderOf(path)) !== String(process.pid)) {
    server.close();
    throw inUse(dataDir);
  }
  server.unref();
  return () => new Promise((resolve) => server.close(() => resolve()));
}

const inUse = (dataDir: string): Error => new Error(`Another Tributary runs on ${dataDir}. Stop it, or set DATA_DIR to another directory.`);

function socketPath(dataDir: string): string {
  const inside = join(dataDir, "server.lock");
  if (Buffer.byteLength(inside) <= socketPathMax) return inside;
  return join(tmpdir(), `tributary-${createHash("sha256").update(dataDir).digest("hex").slice(0, 24)}.lock`);
}

function listen(path: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.end(String(process.pid)));
    server.once("error", reject);
    server.listen(path, () => resolve(server));
  });
}

/** Process id of whoever listens there, or undefined when nobody does. */
function holderOf(path: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect(path);
    let text = "";
    socket.setEncoding("utf8");
    socket.on("data", (chunk: string) => (text += chunk));
    socket.once("error", () => resolve(undefined));
    socket.once("close", () => resolve(text === "" ? undefined : text));
  });
}

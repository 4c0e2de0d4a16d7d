import { randomUUID } from "node:crypto";
import { quoted } from "./quoted.ts";

export interface Doubts {
  /** Runs an insert under an id of its own; one that fails may go on at the server, and is in doubt. */
  insert<T>(of: string, work: (id: string) => Promise<T>): Promise<T>;
  /** Resolves when no insert in doubt can add rows any more: before anything is asked that the next insert is decided by. */
  clear(): Promise<void>;
  /** The same for all inserts of a name, those of other processes included. */
  settle(of: string): Promise<void>;
}

/**
 * Inserts whose answer was lost. A server goes on with what it was sent when the connection is cut, so that rows may appear after
 * somebody has asked which are there. Such an insert is ended by its id, and its end waited for.
 */
export function createDoubts(installation: string, kill: ((condition: string) => Promise<void>) | undefined): Doubts {
  const open = new Set<string>();
  const startOf = (of: string): string => `tributary-${installation}-${of}-`;
  return {
    async insert(of, work) {
      const id = `${startOf(of)}${randomUUID()}`;
      try {
        return await work(id);
      } catch (error) {
        if (!neverArrived(error)) open.add(id);
        throw error;
      }
    },
    async clear() {
      if (!kill || open.size === 0) return;
      const ids = [...open];
      await kill(`initial_query_id in (${ids.map(quoted).join(", ")})`);
      for (const id of ids) open.delete(id);
    },
    async settle(of) {
      await kill?.(`startsWith(initial_query_id, ${quoted(startOf(of))})`);
    },
  };
}

const neverArrived = (error: unknown): boolean => error instanceof Error && "code" in error && error.code === "ECONNREFUSED";

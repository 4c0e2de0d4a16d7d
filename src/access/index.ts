import type { Directory } from "../contracts/directory.ts";
import type { Routes } from "../contracts/http.ts";
import type { Mirror } from "../contracts/mirror.ts";
import type { Clock } from "../core/clock.ts";
import { ApiError } from "../core/errors.ts";
import type { PublicIds } from "../core/public-id.ts";
import type { Db } from "../stores/postgres/db.ts";
import { apiKeyMirrorKey, mirrorPrefix } from "./documents.ts";
import { createHeldDirectory } from "./held-directory.ts";
import { readDocuments } from "./queries/read-documents.ts";
import { createRoutes } from "./routes.ts";
import { createBootstrap, type BootstrapOptions } from "./steps/bootstrap.ts";
import { followState, type Listen } from "./steps/follow-state.ts";
import { createManage } from "./steps/manage.ts";

const retryAfterS = 5;

interface AccessDeps {
  /** PostgreSQL, or where to get it; the function may throw while there is none. */
  db: Db | (() => Db);
  mirror: Mirror;
  clock: Clock;
  publicIds: PublicIds;
  /** Whether an error says that PostgreSQL is away, not that the call was wrong. */
  isOutage(error: unknown): boolean;
}

export interface AccessRoom {
  /** Usable at once, from the mirror. */
  directory: Directory;
  /** Makes mirror and memory equal to PostgreSQL. Rejects while PostgreSQL is away; the directory then stays as it was. */
  syncFromState(): Promise<void>;
  /** Makes what must exist, then syncs. Answers the admin key when it had to make one. */
  bootstrap(options: BootstrapOptions): Promise<{ adminKey?: string }>;
  /** Follows the changes that other processes make in PostgreSQL. Returns what ends it. */
  follow(listen: Listen): () => Promise<void>;
  routes: Routes;
}

/** Runs works one after the other: a sync must not read state before a change and replace the mirror after it. */
function createQueue() {
  let last: Promise<unknown> = Promise.resolve();
  return function enqueue<T>(work: () => Promise<T>): Promise<T> {
    const result = last.then(work);
    last = result.catch(() => undefined);
    return result;
  };
}

/** Tenants, sources and keys: PostgreSQL owns them, the mirror beside the log keeps the door independent of it. */
export function createAccess({ db, mirror, clock, publicIds, isOutage }: AccessDeps): AccessRoom {
  const state = (): Db => (typeof db === "function" ? db() : db);
  const enqueue = createQueue();
  const directory = createHeldDirectory(publicIds);
  directory.replaceAll(mirror.entries(mirrorPrefix));

  async function sync(): Promise<void> {
    const documents = await readDocuments(state());
    await mirror.replaceAll(documents, mirrorPrefix);
    directory.replaceAll(documents);
  }

  async function fromState<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof ApiError || !isOutage(error)) throw error;
      throw new ApiError("state_unavailable", "The state database does not answer; try again later.", { retryAfterS, cause: error });
    }
  }

  const manage = createManage({
    state,
    clock,
    async publish(entries) {
      for (const [key, document] of entries) {
        await mirror.put(key, document);
        directory.put(key, document);
      }
    },
    async revoke(keyHash) {
      // Memory first: a mirror that cannot be written must not keep a deleted key alive.
      directory.forgetKey(keyHash);
      await mirror.delete(apiKeyMirrorKey(keyHash));
    },
  });
  const runBootstrap = createBootstrap({ state, clock });

  return {
    directory,
    syncFromState: () => enqueue(sync),
    bootstrap: (options) => enqueue(async () => {
      const made = await runBootstrap(options);
      await sync();
      return made;
    }),
    follow: (listen) => followState(listen, (onBegin) => enqueue(async () => {
      onBegin();
      await sync();
    })),
    routes: createRoutes({ state, manage, publicIds, fromState, changeState: (work) => fromState(() => enqueue(work)) }),
  };
}

import type { FastifyInstance, RouteOptions } from "fastify";
import type { Directory, Principal } from "../contracts/directory.ts";
import type { Access } from "../contracts/http.ts";
import { ApiError } from "../core/errors.ts";

/** A key as sent. Only `Authorization: Bearer` takes an API key: the other places end up in pages and in bodies. */
interface Credential {
  secret: string;
  writeKeyOnly: boolean;
}

const secretLengthMax = 512;
const accesses: readonly string[] = ["public", "send", "read", "admin"] satisfies Access[];

function readBasic(encoded: string): string {
  const [user = ""] = Buffer.from(encoded, "base64").toString("utf8").split(":");
  return user;
}

/** The key in the headers; one that cannot be read is a wrong key, a missing or empty header none. */
function credentialOf(headers: { authorization?: string | undefined; "x-write-key"?: string | string[] | undefined }): Credential | undefined {
  const authorization = headers.authorization?.trim();
  if (authorization) {
    const [, scheme = "", value = ""] = /^(\S+)\s+(\S+)$/.exec(authorization) ?? [];
    if (scheme.toLowerCase() === "bearer") return { secret: value, writeKeyOnly: false };
    return { secret: scheme.toLowerCase() === "basic" ? readBasic(value) : "", writeKeyOnly: true };
  }
  const writeKey = headers["x-write-key"];
  return typeof writeKey === "string" && writeKey !== "" ? { secret: writeKey, writeKeyOnly: true } : undefined;
}

function credentialInBody(body: unknown): Credential | undefined {
  const writeKey = typeof body === "object" && body !== null && "writeKey" in body ? body.writeKey : undefined;
  return typeof writeKey === "string" ? { secret: writeKey, writeKeyOnly: true } : undefined;
}

function holderOf(directory: Directory, { secret, writeKeyOnly }: Credential): Principal | undefined {
  if (secret === "" || secret.length > secretLengthMax) return undefined;
  const holder = directory.authenticate(secret);
  return writeKeyOnly && holder?.kind !== "write-key" ? undefined : holder;
}

function identify(directory: Directory, credential: Credential | undefined): Principal {
  if (!directory.ready()) throw new ApiError("starting", "The server is starting.", { retryAfterS: 1 });
  if (!credential) throw new ApiError("unauthorized", "A key is needed: Authorization: Bearer <key>.");
  const holder = holderOf(directory, credential);
  if (!holder) throw new ApiError("unauthorized", "The key is not valid.");
  return holder;
}

function allow(principal: Principal, access: Access): Principal {
  if (access !== "send" && principal.kind === "write-key") {
    throw new ApiError("forbidden", "A write key can only send events; this needs an API key.");
  }
  if (access === "admin" && !principal.admin) throw new ApiError("forbidden", "This needs the admin key.");
  return principal;
}

/** Every route says who may call it; one that does not is a mistake and stops the start. */
export function requireAccess(route: RouteOptions): void {
  const access = route.config?.access;
  if (access === undefined || !accesses.includes(access)) {
    throw new Error(`Route ${String(route.method)} ${route.url} does not say who may call it: config.access`);
  }
}

/** Before the body is read, where the headers hold the key; an event may carry its write key in the body, so those wait. */
export function authenticateCallers(app: FastifyInstance, directory: Directory): void {
  app.decorateRequest("principal");

  app.addHook("onRequest", function authenticateByHeaders(request, _reply, done) {
    done(failureOf(() => {
      if (request.is404) throw new ApiError("not_found", "There is nothing at this path.");
      const access = request.routeOptions.config.access ?? "admin";
      const credential = credentialOf(request.headers);
      if (access === "public") {
        const holder = credential && directory.ready() ? holderOf(directory, credential) : undefined;
        if (holder) request.principal = holder;
      } else if (credential || access !== "send") {
        request.principal = allow(identify(directory, credential), access);
      }
    }));
  });

  app.addHook("preValidation", function authenticateByBody(request, _reply, done) {
    done(failureOf(() => {
      const { access } = request.routeOptions.config;
      if (access === "send" && !request.principal) request.principal = allow(identify(directory, credentialInBody(request.body)), access);
    }));
  });
}

/** What `check` throws, for a hook that answers at once: a promise for each would cost every request more than the check. */
function failureOf(check: () => void): Error | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    return error as Error;
  }
}

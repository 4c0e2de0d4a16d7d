// Types of `tags`, `summary` and `description` in a route's schema.
import type {} from "@fastify/swagger";
import type { FastifyInstance } from "fastify";
import type { Principal } from "./directory.ts";

/**
 * Who may call a route. `public`: anyone. `send`: a write key or an API key. `read`: an API key. `admin`: the admin key.
 * Every route names one; a route without it does not start.
 */
export type Access = "public" | "send" | "read" | "admin";

declare module "fastify" {
  interface FastifyRequest {
    /** Who called. Absent on public routes called without a key. */
    principal?: Principal;
  }
  interface FastifyContextConfig {
    access?: Access;
    /** `stream` answers errors as STREAM prints them: {"status":"error","message"}. */
    errors?: "envelope" | "stream";
  }
}

/** A room's routes: mounted by `src/http`, which has authenticated the caller before a handler runs. */
export type Routes = (app: FastifyInstance) => void;

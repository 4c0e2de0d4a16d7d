import { sqlState } from "./sqlstates.ts";

/** What a transaction read has changed before it could write: it is run again, like one that PostgreSQL could not serialise. */
export class StateMovedError extends Error {
  readonly code = sqlState.serializationFailure;

  constructor(message: string) {
    super(message);
    this.name = "StateMovedError";
  }
}

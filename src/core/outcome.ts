/**
 * What a step answers for one event. Exceptions are bugs or outages; everything foreseeable is one of these values.
 * `reason` is a stable code (`snake_case`) that metrics, answers and the documentation share.
 */
export type Outcome<T> =
  | { kind: "ok"; value: T }
  | { kind: "drop"; reason: string }
  | { kind: "deadLetter"; reason: string; detail: string }
  | { kind: "retry"; reason: string };

export const ok = <T>(value: T): Outcome<T> => ({ kind: "ok", value });
export const drop = (reason: string): Outcome<never> => ({ kind: "drop", reason });
export const deadLetter = (reason: string, detail: string): Outcome<never> => ({ kind: "deadLetter", reason, detail });
export const retry = (reason: string): Outcome<never> => ({ kind: "retry", reason });

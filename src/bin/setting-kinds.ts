import { isAbsolute, resolve } from "node:path";
import { parseDurationMs } from "../core/time.ts";

/** How one setting is read: `parse` answers undefined when the text is not what `expected` says. */
export interface Kind<T> {
  /** Completes "expected …". */
  expected: string;
  parse(text: string, cwd: string): T | undefined;
}

const textMax = 4096;
const unitBytes: Record<string, number> = { "": 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3, t: 1024 ** 4 };

/** Bytes of `5MB`, `128 KB`, `1.5GiB` or a plain number; a KB is 1024 bytes. Undefined when it is no size. */
export function parseSizeBytes(text: string): number | undefined {
  const m = /^(\d{1,15}(?:\.\d{1,6})?)\s*(?:([kmgt])i?)?b?$/i.exec(text.trim());
  const bytes = m ? Math.round(Number(m[1]) * (unitBytes[(m[2] ?? "").toLowerCase()] ?? Number.NaN)) : Number.NaN;
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

const between = (value: number | undefined, min: number, max: number): number | undefined =>
  value !== undefined && value >= min && value <= max ? value : undefined;

/** `api` takes requests, `worker` processes what the log has. */
const allRoles = ["api", "worker"] as const;
export type Role = (typeof allRoles)[number];

export const integer = (min: number, max: number): Kind<number> => ({
  expected: `a whole number from ${min} to ${max}`,
  parse: (text) => (/^\d{1,15}$/.test(text) ? between(Number(text), min, max) : undefined),
});

export const size = (minBytes: number): Kind<number> => ({
  expected: `a size such as 5MB or a number of bytes, at least ${minBytes}`,
  parse: (text) => between(parseSizeBytes(text), minBytes, Number.MAX_SAFE_INTEGER),
});

const dayMs = 86_400_000;

/** `minMs` and the bound of ten years keep timers and dates in range. */
export const duration = (minMs: number, maxMs = 3650 * dayMs): Kind<number> => ({
  expected: `a duration such as 5s, 2m or 24h, from ${minMs} ms${maxMs < 3650 * dayMs ? ` to ${maxMs} ms` : ""}`,
  parse: (text) => (text.length > 50 ? undefined : between(parseDurationMs(text), minMs, maxMs)),
});

export const oneOf = <const T extends string>(...names: T[]): Kind<T> => ({
  expected: `one of ${names.join(", ")}`,
  parse: (text) => names.find((name) => name === text.toLowerCase()),
});

export const text = (expected: string): Kind<string> => ({
  expected,
  parse: (value) => (value.length <= textMax ? value : undefined),
});

export const yesOrNo: Kind<boolean> = {
  expected: "true or false",
  parse: (value) => ({ true: true, false: false })[value.toLowerCase()],
};

const brokerOf = (address: string): string | undefined => {
  const [, host, port] = /^([a-z0-9._-]+|\[[0-9a-f:.]+\]):(\d{1,5})$/i.exec(address) ?? [];
  return host !== undefined && between(Number(port), 1, 65_535) !== undefined ? address : undefined;
};

export const brokerList: Kind<string[]> = {
  expected: "a list of host:port, separated by commas",
  parse(value) {
    const brokers = value.split(",").map((one) => brokerOf(one.trim())).filter((one) => one !== undefined);
    return brokers.length === value.split(",").length ? brokers : undefined;
  },
};

export const topicName: Kind<string> = {
  expected: "a topic name: up to 249 letters, digits, dots, hyphens and underscores",
  parse: (value) => (/^[A-Za-z0-9._-]{1,249}$/.test(value) && !/^\.\.?$/.test(value) ? value : undefined),
};

/** `all`, or some of the names of what a process may do. */
export const roles: Kind<Role[]> = {
  expected: `all, or a list of ${allRoles.join(" and ")}`,
  parse(found) {
    const names = found.split(",").map((name) => name.trim());
    if (names.length === 1 && names[0] === "all") return [...allRoles];
    return names.every((name) => (allRoles as readonly string[]).includes(name)) ? (names as Role[]) : undefined;
  },
};

/** Also a macro that each server fills in. */
export const clusterName: Kind<string> = {
  expected: "a name of letters, digits, dots, hyphens and underscores, or of macros such as {cluster}",
  parse: (value) => (/^[\w.{}-]{1,200}$/.test(value) ? value : undefined),
};

export const macroPath: Kind<string> = {
  expected: "a path such as /clickhouse/tables/{shard}/{database}/{table}, with {shard} and {table} or {uuid} in it",
  parse: (value) => (/^\/[\w.{}/-]{1,500}$/.test(value) && value.includes("{shard}") && /\{(table|uuid)\}/.test(value) ? value : undefined),
};

export const secret = (lengthMin: number): Kind<string> => ({
  expected: `at least ${lengthMin} printable ASCII characters without spaces`,
  parse: (value) => (value.length >= lengthMin && value.length <= textMax && /^[\x21-\x7e]+$/.test(value) ? value : undefined),
});

export const url = (...protocols: string[]): Kind<string> => ({
  expected: `a URL that starts with ${protocols.map((protocol) => `${protocol}//`).join(" or ")}`,
  parse: (value) => (protocols.includes(URL.parse(value)?.protocol ?? "") ? value : undefined),
});

export const path: Kind<string> = {
  expected: "a path, absolute or relative to the working directory",
  parse: (value, cwd) => (value.includes("\0") ? undefined : isAbsolute(value) ? value : resolve(cwd, value)),
};

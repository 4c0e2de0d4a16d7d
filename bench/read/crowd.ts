
/**
 * The people and events that the read benchmark fills in, as formulas: PostgreSQL, ClickHouse and Node each make their part by
 * themselves, and all parts agree. Person n has `events` events, `stepMs` × persons apart; the first names all identifiers.
 */
export interface Crowd {
  persons: number;
  /** Events of each person. */
  events: number;
  /** Further events of person 0, whose timeline is a long one. */
  heavyEvents: number;
}

/** Identity numbers: person n has slots × n + 1 … slots × n + slots, the first of which represents the profile. */
export const slots = 5;
export const kinds = ["external_id", "email", "phone", "device_id", "anonymous_id"] as const;
export type Kind = (typeof kinds)[number];

/** What of a kind a person is called; in SQL the same with `n` for the number. */
export const names: Record<Kind, { everyNth: number; prefix: string; suffix: string }> = {
  external_id: { everyNth: 1, prefix: "bench-user-", suffix: "" },
  email: { everyNth: 1, prefix: "bench", suffix: "@example.com" },
  phone: { everyNth: 4, prefix: "+1415", suffix: "" },
  device_id: { everyNth: 4, prefix: "bench-device-", suffix: "" },
  anonymous_id: { everyNth: 1, prefix: "bench-visitor-", suffix: "" },
};

/** Seven digits, so that phone numbers are as long as real ones. */
const numberOf = (kind: Kind, n: number): string => (kind === "phone" ? String(2_000_000 + n) : String(n));
export const valueOf = (kind: Kind, n: number): string => names[kind].prefix + numberOf(kind, n) + names[kind].suffix;
export const identityOf = (n: number, kind: Kind): number => n * slots + 1 + kinds.indexOf(kind);

export const startMs = Date.UTC(2026, 0, 1);
/** All events lie in this time, wherever their number puts them. */
export const spanMs = 270 * 86_400_000;

/** Event number e belongs to person e modulo persons; those behind belong to person 0. */
export const eventsOf = (crowd: Crowd): number => crowd.persons * crowd.events + crowd.heavyEvents;
export const stepMs = ({ persons, events }: Crowd): number => spanMs / (persons * events);
export const eventMs = (crowd: Crowd, e: number): number => startMs + Math.floor(e * stepMs(crowd));
/** Times of person n's events; the further ones of person 0 follow the last of all. */
export const timesOf = (crowd: Crowd, n: number): number[] =>
  Array.from({ length: crowd.events }, (_, k) => eventMs(crowd, n + k * crowd.persons));

export const tenant = 1;
/** The built-in source `api`. */
export const source = 2;
export const eventNames = ["page_view", "product_viewed", "product_added", "search", "signup", "video_played", "app_opened", "purchase"] as const;

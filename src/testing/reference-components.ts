import { hash } from "node:crypto";
import type { CanonicalEvent, Identifier } from "../contracts/canonical-event.ts";
import type { TenantSettings } from "../contracts/directory.ts";

/** An event as it was accepted, with its key. A `profile` identifier carries the name of an identity in place of its number. */
export interface Accepted {
  event: CanonicalEvent;
  key: string;
}

/** `person email:a@x.org` */
const nameOf = ({ entity, kind, value }: Identifier): string => (kind === "profile" ? value : `${entity} ${kind}:${value}`);
const entityOf = (name: string): string => name.slice(0, name.indexOf(" "));
const kindOf = (name: string): string => name.slice(name.indexOf(" ") + 1, name.indexOf(":"));

const kindSettings = (settings: TenantSettings, kind: string) =>
  settings.identifierKinds.find((known) => known.kind === kind) ?? { priority: 0, partnersMax: 5 };

/** What an event names, strongest first: a profile id, then by priority, then by hash. The first is its anchor. */
export function namesOf(event: CanonicalEvent, settings: TenantSettings, pepper: Uint8Array): string[] {
  const rank = ({ kind }: Identifier): number => (kind === "profile" ? Infinity : kindSettings(settings, kind).priority);
  const hashOf = ({ kind, value }: Identifier): string => hash("sha256", Buffer.concat([pepper, Buffer.from(`${kind}\0${value}`)]), "hex");
  // The hash leaves out the entity, so that a person and an account of one name are in alphabetical order.
  const sorted = [...event.identifiers].sort((x, y) => {
    if (rank(x) !== rank(y)) return rank(x) > rank(y) ? -1 : 1;
    return hashOf(x) + x.entity < hashOf(y) + y.entity ? -1 : 1;
  });
  return [...new Set(sorted.map(nameOf))];
}

interface NamedLink {
  anchor: string;
  other: string;
  ts: number;
  key: string;
  ord: number;
}

const isBefore = (x: NamedLink, y: NamedLink): boolean => x.ts < y.ts || (x.ts === y.ts && (x.key < y.key || (x.key === y.key && x.ord < y.ord)));

/** What a tenant's events link: of every pair the smallest (ts, key, ord), all in that order. */
function linksOf(events: readonly Accepted[], settings: TenantSettings, pepper: Uint8Array): NamedLink[] {
  const links = new Map<string, NamedLink>();
  for (const { event, key } of events) {
    const [anchor = "", ...others] = namesOf(event, settings, pepper);
    others.forEach((other, i) => {
      if (entityOf(anchor) !== entityOf(other)) return;
      const link = { anchor, other, ts: event.ts, key, ord: i + 1 };
      const pair = [anchor, other].sort().join("|");
      const known = links.get(pair);
      if (!known || isBefore(link, known)) links.set(pair, link);
    });
  }
  return [...links.values()].sort((x, y) => (isBefore(x, y) ? -1 : 1));
}

/** Identifiers with more partners of stronger kinds than their kind allows. */
function sharedNames(links: readonly NamedLink[], settings: TenantSettings): Set<string> {
  const strength = (name: string): number => kindSettings(settings, kindOf(name)).priority;
  const partners = new Map<string, Set<string>>();
  for (const { anchor, other } of links) {
    for (const [weak, strong] of [[anchor, other], [other, anchor]] as const) {
      if (strength(weak) < strength(strong)) partners.set(weak, (partners.get(weak) ?? new Set()).add(strong));
    }
  }
  return new Set([...partners].filter(([name, strong]) => strong.size > kindSettings(settings, kindOf(name)).partnersMax).map(([name]) => name));
}

/** The rule of resolution, word for word: which identifiers of a tenant's events are one profile. Name → label of its profile. */
export function referenceComponents(events: readonly Accepted[], settings: TenantSettings, pepper: Uint8Array): Map<string, string> {
  const label = new Map<string, string>();
  for (const { event } of events) for (const name of namesOf(event, settings, pepper)) label.set(name, name);
  const membersOf = (one: string | undefined): string[] => [...label.keys()].filter((name) => label.get(name) === one);
  const hasExternalId = (names: string[]): boolean => names.some((name) => kindOf(name) === "external_id");

  const links = linksOf(events, settings, pepper);
  const shared = sharedNames(links, settings);
  for (const { anchor, other } of links) {
    if (shared.has(anchor) || shared.has(other)) continue;
    const [left, right] = [label.get(anchor), label.get(other)];
    if (left === undefined || left === right) continue;
    const joining = membersOf(right);
    if (hasExternalId(membersOf(left)) && hasExternalId(joining)) continue;
    for (const name of joining) label.set(name, left);
  }
  return label;
}

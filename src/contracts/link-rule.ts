import type { IdentityId } from "./identity.ts";

/** A pair of identities put together by an event or by a person, with the smallest (ts, key, ord) of the pair. */
export interface Link {
  a: IdentityId;
  b: IdentityId;
  /** Decided by a person: taken before every other link. */
  manual: boolean;
  ts: number;
  /** Event key, 32 lower-case hex digits. */
  key: string;
  ord: number;
}

/** Two identities that a person decided must not be in one profile. */
export interface KeptApart {
  a: IdentityId;
  b: IdentityId;
  decidedMs: number;
}

/** What is joined so far at one end of a link. */
export interface Side {
  readonly kinds: ReadonlySet<string>;
}

/** What a rule may look at before the first link is decided. */
export interface LinkSet {
  /** In a live batch only the manual links on the ends of `keptApart` are handed in. */
  links: readonly Link[];
  keptApart: readonly KeptApart[];
  shared: ReadonlySet<IdentityId>;
  /** The side an identity is on at the moment of the question; undefined when it is out of reach. */
  sideOf(id: IdentityId): Side | undefined;
}

export interface LinkCheck {
  /** The link counts for nothing, whatever came before it. */
  voids?(link: Link): boolean;
  /**
   * The link may not join these two (different) sides. It MUST be a statement about pairs: true exactly when some
   * identity of one side conflicts with some identity of the other. Resolution that is live relies on that to know when
   * the order of links cannot matter.
   */
  refuses?(link: Link, left: Side, right: Side): boolean;
}

/** A match rule: one file in `src/3-resolve/rules`, named in its list. */
export interface LinkRule {
  /** Stable code, `snake_case`, shown with a refused link. */
  reason: string;
  prepare(set: LinkSet): LinkCheck;
}

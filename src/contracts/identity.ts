/** Dense number of an identity (one identifier of a tenant). Never changes and is never given twice. */
export type IdentityId = number;
/** A profile is a connected component of identities, numbered by the identity that represents it. */
export type ProfileId = number;

/** Two identities that one event names together: `a` is the event's strongest identifier (its anchor). */
export interface LinkCandidate {
  tenantId: number;
  a: IdentityId;
  b: IdentityId;
  ts: number;
  /** Event key, 32 lower-case hex digits. */
  key: string;
  /** Place of `b` among the event's identifiers; orders the links of one event. */
  ord: number;
  /** Decided by a person. */
  manual?: boolean;
}

/** What a batch's links did to the profiles of a tenant. */
export interface Regrouping {
  /** Whole profiles that became one. Their states can be merged. */
  merged: { tenantId: number; survivor: ProfileId; absorbed: ProfileId[]; cause: LinkCandidate }[];
  /** Profiles whose members are not the sum of former whole profiles: folded anew from history. */
  refold: { tenantId: number; profileId: ProfileId; members: IdentityId[] }[];
  /** Profile numbers that no longer stand for a profile; their state rows go. */
  gone: { tenantId: number; profileId: ProfileId }[];
}

/** An identifier of a profile as the profile API shows it. */
export interface KnownIdentifier {
  identityId: IdentityId;
  entity: "person" | "account";
  kind: string;
  /** Null once redacted. */
  value: string | null;
  priority: number;
  createdAt: number;
}

import fc from "fast-check";
import { expect, test } from "vitest";
import type { IdentityId } from "../contracts/identity.ts";
import type { PipelineEvent } from "../contracts/pipeline-event.ts";
import { crowdSettings, randomCrowd } from "../testing/random-crowd.ts";
import { type Accepted, namesOf, referenceComponents } from "../testing/reference-components.ts";
import { type ReferenceProfile, referenceProfiles } from "../testing/reference-model.ts";
import { compact, mergeStates, totalSessions } from "./fold.ts";
import { emptyState, type ProfileState } from "./state.ts";
import { foldBatch } from "./steps/fold-batch.ts";

const pepper = Buffer.from("pepper of the tests");

interface Folded {
  states: Map<string, ProfileState>;
  refolded: number;
}

/** Batch after batch, as live: what a state cannot tell is folded anew from the events so far. `labelOf` says whose an anchor is. */
function foldInBatches(items: readonly PipelineEvent[], sizes: readonly number[], labelOf: (anchor: IdentityId, done: number) => string): Folded {
  const states = new Map<string, ProfileState>();
  let refolded = 0;
  let turn = 0;
  for (let done = 0; done < items.length; ) {
    const batch = items.slice(done, done + (sizes[turn++ % sizes.length] ?? 1));
    done += batch.length;
    // Profiles that have become one since the batch before.
    for (const [label, state] of [...states]) {
      const now = labelOf(Number(label.split(" ")[1]), done);
      if (now === label) continue;
      states.delete(label);
      mergeInto(states, now, state);
    }
    for (const { anchor, state } of foldBatch(batch, () => crowdSettings).deltas) mergeInto(states, labelOf(anchor, done), state);
    for (const [label, state] of states) {
      if (!state.cannotTell) continue;
      refolded += 1;
      states.delete(label);
      const own = items.slice(0, done).filter((item) => labelOf(item.identities[0] ?? -1, done) === label);
      for (const delta of foldBatch(own, () => crowdSettings).deltas) mergeInto(states, label, delta.state);
    }
    for (const state of states.values()) compact(state);
  }
  return { states, refolded };
}

function mergeInto(states: Map<string, ProfileState>, label: string, added: ProfileState): void {
  const state = states.get(label) ?? emptyState();
  states.set(label, state);
  mergeStates(state, added, crowdSettings);
}

type Told = Omit<ReferenceProfile, "identifiers" | "eventIds" | "segments">;

const told = (state: ProfileState): Told => ({
  totalEvents: state.totalEvents,
  totalSessions: totalSessions(state),
  totalPurchases: state.purchases,
  revenue: state.revenue,
  revenueByCurrency: Object.fromEntries(state.revenueByCurrency),
  firstSeen: state.firstSeen,
  lastSeen: state.lastSeen,
  lastPurchase: state.lastPurchase === -Infinity ? undefined : state.lastPurchase,
  createdAt: state.createdAt,
  updatedAt: state.updatedAt,
  traits: Object.fromEntries([...state.traits].flatMap(([name, { value, ts }]) => (value === null ? [] : [[name, { value, ts }]]))),
});

const nothing = { bytes: new Uint8Array(), whatAt: 0, propertiesAt: 0, contextAt: 0, ipAt: 0 };

/** The events as the pipeline carries them, their identities numbered by name. */
function toItems(accepted: readonly Accepted[], names: readonly string[]): PipelineEvent[] {
  const idOf = new Map(names.map((name, id) => [name, id]));
  return accepted.map(({ event, key }, position) => (
    { partition: 1, position, key, contentHash: 0, event, body: nothing, identities: namesOf(event, crowdSettings, pepper).map((name) => idOf.get(name) ?? -1) }));
}

const someSizes = fc.array(fc.integer({ min: 1, max: 120 }), { minLength: 1, maxLength: 10 });

test("of thousands of events in any order and batching, merged as they come, every profile says what the reference says", () => {
  let refolds = 0;
  fc.assert(fc.property(randomCrowd, someSizes, fc.nat({ max: 1500 }), (crowd, sizes, apart) => {
    const accepted = crowd.accepted(1500, 40);
    const labels = referenceComponents(accepted, crowdSettings, pepper);
    const names = [...labels.keys()];
    // One profile for each anchor at first, and one for each component from some moment on.
    const ofComponent = (anchor: IdentityId): string => `profile ${names.indexOf(labels.get(names[anchor] ?? "") ?? "")}`;
    const labelOf = (anchor: IdentityId, done: number): string => (done < apart ? `alone ${anchor}` : ofComponent(anchor));
    const { states, refolded } = foldInBatches(toItems(accepted, names), sizes, labelOf);
    refolds += refolded;
    const expected = referenceProfiles(accepted, crowdSettings, pepper).map(
      ({ identifiers, eventIds: _, segments: _none, ...profile }) => [ofComponent(names.indexOf(identifiers[0] ?? "")), profile]);
    expect(Object.fromEntries([...states].map(([label, state]) => [label, told(state)]))).toEqual(Object.fromEntries(expected));
  }), { numRuns: 12 });
  expect(refolds).toBeGreaterThan(0);
});

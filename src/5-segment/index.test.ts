import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { JsonValue } from "../contracts/json.ts";
import type { SegmentChange } from "../contracts/segment.ts";
import { createPublicIds } from "../core/public-id.ts";
import { createSegment } from "./index.ts";
import { packMemberships, unpackMemberships } from "./memberships.ts";

const publicIds = createPublicIds(Buffer.from("secret"));
const segment = createSegment({ publicIds });
const asOf = 1_700_000_000_000;
const none = Buffer.alloc(0);
const planned = (plan?: JsonValue) => ({ traits: new Map(plan === undefined ? [] : [["plan", { value: plan }]]) });

/** One profile through a life of plans. */
function live(plans: readonly (JsonValue | undefined)[], before: Buffer = none): { memberships: Buffer; changes: SegmentChange[] } {
  const changes: SegmentChange[] = [];
  let memberships = before;
  for (const plan of plans) {
    const evaluated = segment.evaluate(planned(plan), memberships, asOf);
    changes.push(...evaluated.changes);
    memberships = evaluated.memberships;
  }
  return { memberships, changes };
}

describe("entries and exits", () => {
  const enter = (transition: number) => ({ segment: "pro_plan", number: 2, entered: true, transition });
  const exit = (transition: number) => ({ segment: "pro_plan", number: 2, entered: false, transition });
  const rows: [what: string, plans: (JsonValue | undefined)[], changes: SegmentChange[]][] = [
    ["nobody knows the plan", [undefined], []],
    ["never pro", ["free", "basic"], []],
    ["pro at once", ["pro"], [enter(1)]],
    ["pro, and pro again", ["pro", "pro"], [enter(1)]],
    ["pro, then free", ["pro", "free"], [enter(1), exit(2)]],
    ["the plan is deleted", ["pro", null], [enter(1), exit(2)]],
    ["back again", ["pro", "free", "pro"], [enter(1), exit(2), enter(3)]],
  ];
  test.each(rows)("%s", (_what, plans, changes) => {
    expect(live(plans).changes).toEqual(changes);
  });

  test("take turns, are numbered, and end at what the plan says, however often it changes", () => {
    const somePlans = fc.array(fc.constantFrom<(JsonValue | undefined)[]>("pro", "pro", "free", "Pro", 1, null, ["pro"], undefined), { minLength: 1, maxLength: 400 });
    fc.assert(fc.property(somePlans, (plans) => {
      const { memberships, changes } = live(plans);
      expect(changes.map(({ entered }) => entered)).toEqual(changes.map((_, at) => at % 2 === 0));
      expect(changes.map(({ transition }) => transition)).toEqual(changes.map((_, at) => at + 1));
      expect(changes.at(-1)?.entered ?? false).toBe(plans.at(-1) === "pro");
      expect(segment.idsOf(1, memberships).length).toBe(plans.at(-1) === "pro" ? 1 : 0);
    }));
  });

  test("memberships of segments that are not evaluated stay", () => {
    const { memberships } = live(["pro"], packMemberships(new Map([[1, 3], [900, 2]])));
    expect([...unpackMemberships(memberships)]).toEqual([[1, 3], [2, 1], [900, 2]]);
  });

  test("where nothing changes the same bytes come back", () => {
    const { memberships } = live(["pro"]);
    expect(live(["pro"], memberships).memberships).toBe(memberships);
  });
});

describe("memberships", () => {
  test("come back as they were kept, in the order of the segments", () => {
    fc.assert(fc.property(fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1 }))), (pairs) => {
      const kept = new Map(pairs);
      expect([...unpackMemberships(packMemberships(kept))]).toEqual([...kept].sort(([a], [b]) => a - b));
    }));
  });

  test("are a MessagePack array of pairs", () => {
    expect(packMemberships(new Map([[3, 1], [2, 5]])).toString("hex")).toBe("92920205920301");
  });
});

test("definitions have ids that are the tenant's own and stand for the segment's number", () => {
  const [definition] = segment.definitions(7);
  expect(definition).toEqual({ id: expect.stringMatching(/^segment-/), slug: "pro_plan", name: "Pro plan" });
  expect(publicIds.decode("segment", 7, definition?.id ?? "")).toBe(2);
  expect(segment.idsOf(7, live(["pro"]).memberships)).toEqual([definition?.id]);
  expect(segment.definitions(8)[0]?.id).not.toBe(definition?.id);
});

import { expect, test } from "vitest";
import type { Group } from "./group.ts";
import { describeRegrouping, nameGroups, rivalsOf } from "./name-groups.ts";

const cause = { tenantId: 1, a: 1, b: 2, ts: 0, key: "", ord: 1 };
const group = (former: number[], members: number[], whole: boolean): Group => ({
  tenantId: 1, former, representatives: former.filter((id) => members.includes(id)), whole, members, kinds: new Set(), newest: "", frozen: false, cause,
});
const regroup = (groups: Group[], firstSeen: [number, number][]) => {
  const { merged, refold, gone } = describeRegrouping(nameGroups(groups, new Map(firstSeen)));
  return {
    merged: merged.map(({ survivor, absorbed }) => `${absorbed.join()} into ${survivor}`),
    refold: refold.map(({ profileId, members }) => `${profileId} of ${members.join()}`),
    gone: gone.map(({ profileId }) => profileId),
  };
};

test.each<[string, Group[], [number, number][], ReturnType<typeof regroup>]>([
  ["nothing happened", [group([1], [1, 2], true)], [], { merged: [], refold: [], gone: [] }],
  ["of two profiles the older stays", [group([1, 5], [1, 5, 6], true)], [[1, 20], [5, 10]], { merged: ["1 into 5"], refold: [], gone: [1] }],
  ["equally old ones: the smaller number stays", [group([5, 1], [1, 5], true)], [[1, 10], [5, 10]], { merged: ["5 into 1"], refold: [], gone: [5] }],
  ["one without an event is younger than any", [group([1, 5], [1, 5], true)], [[5, 10]], { merged: ["1 into 5"], refold: [], gone: [1] }],
  ["a split: the part with the representative keeps the number, the other takes its smallest identity",
    [group([1], [1, 4], false), group([1], [2, 3], false)], [], { merged: [], refold: ["1 of 1,4", "2 of 2,3"], gone: [] }],
  ["merged and split at once is folded anew", [group([1, 5], [1, 3, 5], false), group([1], [2], false)], [[1, 20], [5, 10]],
    { merged: [], refold: ["5 of 1,3,5", "2 of 2"], gone: [1] }],
])("%s", (_title, groups, firstSeen, expected) => {
  expect(regroup(groups, firstSeen)).toEqual(expected);
});

test("only where several representatives meet does age matter", () => {
  expect(rivalsOf([group([1], [1, 2], true), group([3, 4], [3, 4], true), group([5, 6], [5], false)])).toEqual([
    { tenantId: 1, profileId: 3 }, { tenantId: 1, profileId: 4 },
  ]);
});

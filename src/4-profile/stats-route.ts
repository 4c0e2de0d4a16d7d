import { Type } from "typebox";
import type { Routes } from "../contracts/http.ts";
import { startOfToday } from "../core/time.ts";
import type { ProfileDeps } from "./deps.ts";

const Stats = Type.Object({
  totalProfiles: Type.Integer(),
  totalEvents: Type.Integer({ description: "Events in history, without those Tributary made itself" }),
  totalSegments: Type.Integer(),
  totalAudiences: Type.Integer(),
  profilesCreatedToday: Type.Integer({ description: "By arrival, in the tenant's time zone" }),
  eventsTrackedToday: Type.Integer({ description: "By arrival, in the tenant's time zone" }),
});

/** How long an answer stands at least, and as a multiple of what it cost: counting profiles reads them all. */
const keptMs = 2000;
const keptPerCost = 20;

/** `GET /api/cdp/stats`. */
export function createStatsRoute({ readDb, history, clock, settingsOf, segmentCountOf }: ProfileDeps): Routes {
  const answers = new Map<number, { until: number; data: Promise<object> }>();

  function countAnew(tenantId: number): Promise<object> {
    const began = clock.now();
    const data = count(tenantId, began);
    const answer = { until: Infinity, data };
    answers.set(tenantId, answer);
    data.then(
      () => (answer.until = clock.now() + Math.max(keptMs, (clock.now() - began) * keptPerCost)),
      () => answers.delete(tenantId),
    );
    return data;
  }

  async function count(tenantId: number, now: number): Promise<object> {
    const today = startOfToday(now, settingsOf(tenantId).timeZone);
    const [[profiles], [events]] = await Promise.all([
      // In a transaction, because a single statement has not the time to count millions, nor the plans.
      readDb.transaction((tx) => readDb.in(tx).query<{ total: number; today: number }>(
        `select count(*) total, count(*) filter (where coalesce(h.created_ms, extract(epoch from i.created_at) * 1000) >= $2) today
           from identity i left join profile_hot h on h.tenant_id = i.tenant_id and h.profile_id = i.identity_id
          where i.tenant_id = $1 and i.profile_id = i.identity_id`,
        [tenantId, today],
      )),
      history.query<{ total: number; today: number }>(
        `select count() total, countIf(received_at >= fromUnixTimestamp64Milli({today:Int64})) today
           from events where tenant = {tenantId:UInt32} and kind != 'system'`,
        { tenantId, today },
        { mayLag: true },
      ),
    ]);
    return {
      totalProfiles: profiles?.total ?? 0,
      totalEvents: events?.total ?? 0,
      totalSegments: segmentCountOf(tenantId),
      totalAudiences: 0,
      profilesCreatedToday: profiles?.today ?? 0,
      eventsTrackedToday: events?.today ?? 0,
    };
  }

  return (app) => {
    app.get(
      "/api/cdp/stats",
      {
        config: { access: "read" },
        schema: { tags: ["System"], summary: "Totals of the tenant", response: { 200: Type.Object({ success: Type.Literal(true), data: Stats }) } },
      },
      async (request) => {
        const { tenantId } = request.principal as { tenantId: number };
        const answer = answers.get(tenantId);
        return { success: true, data: await (answer && clock.now() < answer.until ? answer.data : countAnew(tenantId)) };
      },
    );
  };
}

import type { ServerResponse } from "node:http";
import type { FastifyInstance } from "fastify";
import type { Clock } from "../core/clock.ts";
import { ApiError } from "../core/errors.ts";

export interface AnswerLimits {
  /** Bytes of large answers that wait to be taken, all connections together. */
  unreadBytesMax: number;
  /** Whoever has not taken a large answer by then is cut off when its memory is needed, */
  graceMs: number;
  /** and by then in any case. */
  answerMsMax: number;
  /** Smaller answers count for nothing: the sockets' own buffers hold them. */
  smallBytes: number;
}

const limitsDefault: AnswerLimits = { unreadBytesMax: 64_000_000, graceMs: 2_000, answerMsMax: 60_000, smallBytes: 64_000 };

/**
 * Bounds the memory of answers that their readers do not take. A reader that is slow is cut off before one that is not has to
 * wait; only while all readers of large answers are recent ones is another large answer refused with `overloaded` (503).
 */
export function boundAnswers(app: FastifyInstance, clock: Clock, limits: Partial<AnswerLimits> = {}): void {
  const { unreadBytesMax, graceMs, answerMsMax, smallBytes } = { ...limitsDefault, ...limits };
  // Oldest first.
  const unread = new Map<ServerResponse, { bytes: number; since: number }>();
  let total = 0;

  function forget(answer: ServerResponse): void {
    total -= unread.get(answer)?.bytes ?? 0;
    unread.delete(answer);
  }

  function cutOff(answer: ServerResponse): void {
    forget(answer);
    answer.destroy();
  }

  function makeRoom(bytes: number): void {
    const now = clock.now();
    for (const [answer, { since }] of unread) {
      if (total + bytes <= unreadBytesMax || now - since < graceMs) break;
      cutOff(answer);
    }
    // One alone is answered however large it is.
    if (total > 0 && total + bytes > unreadBytesMax) throw new ApiError("overloaded", "too many large answers wait to be read; ask again");
  }

  function hold(answer: ServerResponse, bytes: number): void {
    makeRoom(bytes);
    unread.set(answer, { bytes, since: clock.now() });
    total += bytes;
    const end = setTimeout(() => cutOff(answer), answerMsMax).unref();
    answer.once("close", () => {
      clearTimeout(end);
      forget(answer);
    });
  }

  app.addHook("onSend", (_request, reply, payload, done) => {
    const bytes = typeof payload === "string" || Buffer.isBuffer(payload) ? payload.length : 0;
    try {
      if (bytes > smallBytes) hold(reply.raw, bytes);
    } catch (error) {
      return done(error as Error);
    }
    done(null, payload);
  });
}

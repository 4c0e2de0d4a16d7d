import type { FieldError } from "../contracts/field-error.ts";
import { ApiError, type ErrorCode } from "../core/errors.ts";
import type { Outcome, Receipt } from "./take-rows.ts";

/** Reasons that have a code of their own, the first that occurs decides; all others are `validation_failed`. */
const codeOfReason: [string, ErrorCode][] = [
  ["wrong_type", "invalid_type"],
  ["event_too_large", "body_too_large"],
];

function codeOf(errors: FieldError[]): ErrorCode {
  const special = codeOfReason.find(([reason]) => errors.some((error) => error.reason === reason));
  if (special) return special[1];
  return errors.every((error) => error.reason === "unknown_profile") ? "profile_not_found" : "validation_failed";
}

const sentence = (errors: FieldError[]): string => errors.map((error) => error.message).join("; ");

/** The refusal of a whole request: what is wrong with its only event or with its envelope. */
export const toApiError = (errors: FieldError[]): ApiError => new ApiError(codeOf(errors), sentence(errors), { details: errors });

/** STREAM answers whatever is wrong with an event 400, and prints the sentence alone. */
export function toStreamError(errors: FieldError[]): ApiError {
  const code = codeOf(errors);
  return new ApiError(code === "body_too_large" ? code : "invalid_type", sentence(errors), { details: errors });
}

/** STREAM's answer, with what it does not print only where there is something to say. */
export function streamAnswer({ eventId, held, warnings }: Receipt): object {
  return { status: "accepted", eventId, ...(held && { late: true, disposition: "quarantined" }), ...(warnings.length > 0 && { warnings }) };
}

/** What an accepted event is told: late and applied, late and held, or nothing of it. */
export function acceptedAnswer({ eventId, late, held, warnings }: Receipt): object {
  return { eventId, status: "accepted", ...(late && { late }), ...(held && { disposition: "quarantined" }), ...(warnings.length > 0 && { warnings }) };
}

export function batchAnswer(results: Outcome[]): { accepted: number; rejected: number; results: object[] } {
  let accepted = 0;
  for (const { status } of results) if (status === "accepted") accepted++;
  return { accepted, rejected: results.length - accepted, results: results.map(rowAnswer) };
}

function rowAnswer(result: Outcome, index: number): object {
  if (result.status === "accepted") return acceptedRow(index, result.event);
  const { eventId, errors } = result;
  return { index, eventId: eventId ?? null, status: "rejected", error: { code: codeOf(errors), message: sentence(errors), details: errors } };
}

/** A batch has hundreds of these, nearly all of them with nothing special to say. */
function acceptedRow(index: number, event: Receipt): object {
  const { eventId, late, held, warnings } = event;
  return late || held || warnings.length > 0 ? { index, ...acceptedAnswer(event) } : { index, eventId, status: "accepted" };
}

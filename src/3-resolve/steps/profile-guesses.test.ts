import { expect, test } from "vitest";
import { createProfileGuesses } from "./profile-guesses.ts";

test("an identity is guessed where it was seen last, in its tenant alone", () => {
  const guesses = createProfileGuesses(100);
  guesses.set(1, 2 ** 52 + 1, 7);
  expect(guesses.get(1, 2 ** 52 + 1)).toBe(7);
  expect(guesses.get(2, 2 ** 52 + 1)).toBeUndefined();
  guesses.set(1, 2 ** 52 + 1, 9);
  expect(guesses.get(1, 2 ** 52 + 1)).toBe(9);
});

test("those of an absorbed profile are guessed where it went, over several merges", () => {
  const guesses = createProfileGuesses(100);
  guesses.set(1, 5, 4);
  guesses.set(1, 4, 3);
  guesses.set(1, 3, 1);
  guesses.set(1, 1, 1);
  expect(guesses.get(1, 5)).toBe(1);
});

test("notes that contradict each other end somewhere", () => {
  const guesses = createProfileGuesses(100);
  guesses.set(1, 1, 2);
  guesses.set(1, 2, 1);
  expect([1, 2]).toContain(guesses.get(1, 1));
});

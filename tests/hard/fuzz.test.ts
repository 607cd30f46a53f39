/**
 * Differential fuzzing of the wire parser against llhttp: whatever we accept, llhttp in strict mode accepts and
 * frames alike; and no way of cutting the bytes changes what we read. A plain test run tries a few thousand
 * inputs; `FUZZ_INPUTS=200000 FUZZ_SEED=7 bun test tests/hard/fuzz.test.ts` is the long one.
 */
import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { disagreement, findNode, readByLlhttp } from "../wire/llhttp.ts";
import { chance, cut, hostile } from "../wire/mutate.ts";
import { textOf, transcribe } from "../wire/transcript.ts";

const INPUTS = Number(process.env["FUZZ_INPUTS"] ?? 4000);
const SEED = Number(process.env["FUZZ_SEED"] ?? 1);
const BATCH = 5000;

const node = findNode();
const skip = node === undefined && "needs Node, whose parser is the other opinion";

test(`heads and bodies read as llhttp reads them in ${INPUTS} mutated inputs`, {
  skip,
  timeout: 900_000,
}, () => {
  const dice = chance(SEED);
  const tally = { refused: 0, messages: 0 };
  for (let done = 0; done < INPUTS; done += BATCH) {
    const inputs = Array.from({ length: Math.min(BATCH, INPUTS - done) }, () => hostile(dice));
    const readings = readByLlhttp(node ?? "", inputs);
    for (const [index, input] of inputs.entries()) {
      const { kind, bytes } = input;
      const whole = transcribe(kind, [bytes]);
      const place = `input ${done + index} of seed ${SEED}: ${JSON.stringify(textOf(bytes))}`;
      const pieces = transcribe(kind, cut(bytes, 2 + dice.below(4), dice));
      assert.deepEqual({ ...pieces, consumed: 0 }, { ...whole, consumed: 0 }, place);
      if (whole.end !== "refused") assert.equal(pieces.consumed, whole.consumed, place);

      const reading = readings[index];
      assert.ok(reading !== undefined, place);
      assert.equal(disagreement(input, whole, reading), undefined, place);
      tally.messages += whole.messages.length;
      if (whole.end === "refused") tally.refused++;
    }
  }
  // Mutations that are all refused would prove nothing, nor would such as are all accepted.
  assert.ok(tally.refused > INPUTS / 10 && tally.messages > INPUTS / 4, JSON.stringify(tally));
});

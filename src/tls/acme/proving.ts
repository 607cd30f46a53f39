/**
 * Proves the names of one order: chooses a proof for each that is not proved already, shows what can be shown
 * at once, has the authority look, and waits for its verdicts. What was shown is gone at the end, come what may.
 */
import { tamed, textOf } from "../json.ts";
import type { DnsProver } from "../dns/prover.ts";
import { type Attempts, isSameIp, type Refusal } from "./attempts.ts";
import type { Authorization, Client, Order } from "./library.ts";
import { pauseMs } from "./pauses.ts";
import { AcmeFailure, readProblem, spellProblem } from "./problem.ts";
import type { Proof, Stage } from "./stage.ts";
import type { Talk } from "./talk.ts";

/** Until the authority has looked at one proof, in milliseconds. */
const VERDICT_MAX_MS = 120_000;

export interface ProvingDeps {
  /** What was ordered. */
  readonly names: readonly string[];
  readonly talk: Talk;
  readonly client: Client;
  readonly stage: Stage;
  readonly attempts: Attempts;
  readonly dns: DnsProver | undefined;
}

/** Resolves with what was refused; with nothing, the order may go on. Rejects with `AcmeFailure`. */
export async function proved(order: Order, deps: ProvingDeps): Promise<readonly Refusal[]> {
  const { stage, talk } = deps;
  const authorizations = await Promise.all(
    order.authorizations.map((url) => look(order, url, deps)),
  );
  const open = authorizations.filter(({ status }) => status !== "valid");
  const proofs = await Promise.all(open.map((authorization) => proofOf(authorization, deps)));
  for (const [at, round] of stage.rounds(proofs).entries()) {
    if (at > 0) await talk.clock.sleep(stage.restMs, talk.signal);
    const refusals = await playRound(order, round, deps);
    if (refusals.length > 0) return refusals;
  }
  return [];
}

async function playRound(
  order: Order,
  round: readonly Proof[],
  deps: ProvingDeps,
): Promise<readonly Refusal[]> {
  const { talk, stage } = deps;
  const { refused, remarks, close } = await stage.show(round, talk.signal);
  try {
    const refusals = [...refused];
    const shown = round.filter(({ name }) => !refused.some((one) => one.name === name));
    await Promise.all(shown.map((proof) => submit(order, proof, deps)));
    // One after the other: the authority looks at all of them meanwhile.
    for (const proof of shown) {
      const words = await verdict(order, proof, deps);
      if (words === undefined) continue;
      const remark = remarks.get(proof);
      refusals.push({
        ...{ name: proof.name, challenge: proof.challenge, retryAfterMs: undefined },
        words: remark === undefined ? words : `${words} (${remark})`,
      });
    }
    return refusals;
  } finally {
    await close();
  }
}

async function look(
  order: Order,
  url: string,
  { talk, client }: ProvingDeps,
): Promise<Authorization> {
  // Not all at once, as the library would: one bad nonce would spoil the answers to all.
  const one = { ...order, authorizations: [url] };
  const [authorization] = await talk.ask(() => client.getAuthorizations(one));
  if (authorization === undefined) throw new AcmeFailure("it gives no authorization");
  return authorization;
}

async function proofOf(
  authorization: Authorization,
  { names, attempts, client, dns, talk }: ProvingDeps,
): Promise<Proof> {
  const { identifier: { value }, status, challenges } = authorization;
  const name = nameOf(authorization, names);
  if (name === undefined) {
    // Nothing is shown or written for names that are not ours.
    throw new AcmeFailure(`it wants "${tamed(value)}" proved, which was not ordered`, {
      status: 200,
    });
  }
  if (status !== "pending") {
    throw new AcmeFailure(`its authorization of "${name}" is ${status}`, { status: 200 });
  }
  const offered = challenges.map(({ type }) => String(type));
  const challenge = attempts.choose(name, offered);
  const chosen = challenges.find(({ type }) => String(type) === challenge);
  if (challenge === undefined || chosen === undefined) {
    const failed = attempts.words([name]);
    throw new AcmeFailure(
      failed === ""
        ? `none of its proofs of "${name}" can be given: ${offered.join(", ")}`
        : failed,
      { status: 200, retryAfterMs: attempts.retryAfterMs },
    );
  }
  const answer = await client.getChallengeKeyAuthorization(chosen);
  const record = challenge === "dns-01"
    ? await dns?.record(name.replace(/^\*\./, ""), answer, talk.signal)
    : undefined;
  return { name, challenge, authorization, token: chosen.token, answer, record };
}

/** The name as it was ordered; undefined where it was not. */
function nameOf(
  { identifier: { value }, wildcard }: Authorization,
  names: readonly string[],
): string | undefined {
  const spellings = wildcard === true ? [`*.${value}`] : [value, `*.${value}`];
  return names.find((name) =>
    spellings.some((spelling) => name === spelling.toLowerCase() || isSameIp(name, spelling))
  );
}

/** Has the authority look at a proof. */
async function submit(order: Order, proof: Proof, deps: ProvingDeps): Promise<void> {
  const { talk, client } = deps;
  const challenge = challengeIn(proof.authorization, proof);
  if (challenge === undefined) throw new AcmeFailure("it gives no challenge", { status: 200 });
  try {
    await talk.ask(() => client.completeChallenge(challenge));
  } catch (error) {
    if (!(error instanceof AcmeFailure) || error.passing) throw error;
    // Where the answer to a first try was lost it has looked already, and says that there is nothing to do.
    const { status } = await look(order, proof.authorization.url, deps);
    if (status === "pending") throw error;
  }
}

/** Undefined where a name is proved; else why not. */
async function verdict(
  order: Order,
  proof: Proof,
  deps: ProvingDeps,
): Promise<string | undefined> {
  const { talk } = deps;
  const { url } = proof.authorization;
  const began = talk.clock.elapsed();
  for (let looks = 1;; looks++) {
    const authorization = await look(order, url, deps);
    if (authorization.status === "valid") return undefined;
    if (authorization.status !== "pending") {
      const problem = readProblem(challengeIn(authorization, proof)?.error);
      return spellProblem(problem) || `its authorization is ${authorization.status}`;
    }
    if (talk.clock.elapsed() - began >= VERDICT_MAX_MS) return "it came to no verdict";
    await talk.clock.sleep(pauseMs(looks, talk.line.waitMs(url)), talk.signal);
  }
}

function challengeIn(
  { challenges }: Authorization,
  { token, challenge }: Proof,
): Authorization["challenges"][number] | undefined {
  return challenges.find((one) => String(one.type) === challenge && textOf(one.token) === token);
}

/** The request that is asked about, as the request path would see it; and where it would be sent on to. Pure. */
import { End } from "../end.ts";
import { Fields } from "../fields.ts";
import type { Exchange } from "../model.ts";
import { admit } from "./admit.ts";
import { identify } from "./client.ts";
import type { Snapshot } from "./deps.ts";
import { Story } from "./story.ts";

export interface Question {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  /** Name, value; `Host` included. */
  readonly fields: readonly (readonly [string, string])[];
  readonly scheme: "http" | "https";
  /** In the clear where it is not answered so. */
  readonly misplaced?: boolean;
  /** Who asks. */
  readonly ip: string;
  /** Port of ours it comes in on; undefined goes by `Host`. */
  readonly localPort: number | undefined;
}

const SENT_ON = 308;

export function exchangeOf(
  { method, target, fields, scheme, misplaced = false, ip, localPort }: Question,
): Exchange {
  return {
    ...{ method, target, scheme, misplaced },
    proto: "HTTP/1.1",
    fields: Fields.from(fields),
    body: undefined,
    upgrade: undefined,
    peer: { ip, port: 0 },
    ...(localPort !== undefined && { localPort }),
    signal: new End(),
    answer: () => Promise.reject(new Error("Cannot answer what is only asked about")),
  };
}

/** What a client that is sent on asks next. */
export interface Onward {
  readonly url: string;
  readonly question: Question;
}

/** Undefined for a request that is answered where it came, or not at all. */
export function sentOnTo(question: Question, snapshot: Snapshot): Onward | undefined {
  const { edge } = snapshot;
  if (question.scheme === "https" || edge === undefined) return undefined;
  const exchange = exchangeOf(question);
  const story = new Story("request-id", identify(exchange, snapshot.trustedProxies));
  const admitted = admit(exchange, snapshot, story);
  if (!("reply" in admitted) || admitted.reply.status !== SENT_ON) return undefined;
  const url = admitted.reply.fields.get("location");
  if (url === undefined) return undefined;
  const port = Number(new URL(url).port || 443);
  const localPort = edge.ports.has(port) ? port : undefined;
  return { url, question: { ...question, scheme: "https", misplaced: false, localPort } };
}

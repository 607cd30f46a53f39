/**
 * One request on its way: as it came, as it stands after the steps so far, and what they noted about
 * it. What only few requests need is made when it is first asked for.
 */
import type { Fields } from "../fields.ts";
import type { Exchange, Pool } from "../model.ts";
import type { Action, PoolRules } from "../rules.ts";
import type { Client } from "./client.ts";
import type { Snapshot } from "./deps.ts";
import type { Answer } from "./ending.ts";
import type { Asked } from "./match.ts";
import { ReplayBody } from "./replay.ts";
import { cleanPath, normalHost } from "./route.ts";
import type { Story } from "./story.ts";

/** What is done with an answer as it leaves, whoever gave it. */
export type LeavingEdit = Extract<Action, { kind: "headers" | "encode" }>;

/** What may differ between a request as it came and as it goes on. */
export interface Alterations {
  readonly method?: string;
  readonly target?: string;
  readonly fields?: Fields;
  /** Neither body nor upgrade nor interim answers: for what is asked on the request's behalf. */
  readonly bare?: true;
}

export class Visit implements Asked {
  /** As it came. */
  readonly original: Exchange;
  readonly snapshot: Snapshot;
  readonly story: Story;
  /** As it stands now. */
  exchange: Exchange;
  /** Its `Host`. */
  host: string;
  /** Why an error is answered, in the steps about it. */
  error: { readonly status: number; readonly text: string } | undefined;
  /** The upstream's answer, in the steps about it; nobody's once they are through. */
  held: Answer | undefined;
  /** What that answer was, for as long as the request is told of. */
  heard: Answer | undefined;
  /** In the order of the steps. */
  leaving: LeavingEdit[] | undefined;
  /** Fields that the answer gets where it has none of that name. */
  owed: (readonly [name: string, value: string])[] | undefined;
  #variables: Map<string, string> | undefined;
  #groups: Map<string, RegExpExecArray> | undefined;
  #split: Split | undefined;

  #replay: ReplayBody | undefined;
  /** The answer to what the body was sent with. */
  #bodyTaker: Answer | undefined;

  /** What the client proved to be, to the authorities of the route. */
  provenClient: NonNullable<Exchange["tls"]>["client"];

  constructor(exchange: Exchange, host: string, snapshot: Snapshot, story: Story) {
    this.original = exchange;
    this.exchange = exchange;
    this.host = host;
    this.snapshot = snapshot;
    this.story = story;
  }

  get client(): Client {
    return this.story.client;
  }

  /** Who proved to be who. */
  get user(): string | undefined {
    return this.story.user;
  }

  set user(name: string | undefined) {
    this.story.user = name;
  }

  get requestId(): string {
    return this.story.requestId;
  }

  get method(): string {
    return this.exchange.method;
  }

  get path(): string {
    return this.#parts().path;
  }

  get query(): string {
    return queryOf(this.exchange.target);
  }

  get params(): URLSearchParams {
    return this.#parts().params;
  }

  get fields(): Fields {
    return this.exchange.fields;
  }

  get hostname(): string {
    return normalHost(this.host) ?? "";
  }

  get scheme(): "http" | "https" {
    return this.exchange.scheme;
  }

  get remoteIp(): string {
    return this.exchange.peer.ip;
  }

  get clientIp(): string {
    return this.story.client.ip;
  }

  variable(name: string): string | undefined {
    return this.#variables?.get(name);
  }

  note(name: string, value: string): void {
    this.#variables ??= new Map();
    this.#variables.set(name, value);
  }

  keep(name: string, groups: RegExpExecArray): void {
    this.#groups ??= new Map();
    this.#groups.set(name, groups);
  }

  /** A group by `name.group`; by `group` alone of the pattern without a name. */
  group(spelled: string): string {
    const dot = spelled.lastIndexOf(".");
    const groups = this.#groups?.get(dot < 0 ? "" : spelled.slice(0, dot));
    const which = spelled.slice(dot + 1);
    return (/^\d+$/.test(which) ? groups?.[Number(which)] : groups?.groups?.[which]) ?? "";
  }

  alter(changes: Alterations): void {
    this.exchange = altered(this.exchange, changes);
    if (changes.fields !== undefined) this.host = changes.fields.get("host") ?? this.host;
  }

  /** The pool as it was configured when the request began. */
  poolOf({ id }: PoolRules): Pool {
    const pool = this.snapshot.pool(id);
    if (pool === undefined) throw new Error(`Cannot find pool "${id}" in its own configuration`);
    return pool;
  }

  /** The body for an upstream; keeps so much of it for another. Undefined when the request has none. */
  replayBody(limitBytes: number): ReplayBody | undefined {
    const { body } = this.story;
    if (body !== undefined) this.#replay ??= new ReplayBody(body, limitBytes);
    return this.#replay;
  }

  /** The upstream that was sent the body has answered. */
  bodyTaken(answer: Answer): void {
    this.#bodyTaker = answer;
  }

  /** The request has come to its end, with this answer if with any: whoever sent that still reads the body. */
  settleBody(answer: Answer | undefined): void {
    if (answer !== undefined && answer === this.#bodyTaker) this.#replay?.release();
    else this.#replay?.cancel();
  }

  leave(edit: LeavingEdit): void {
    (this.leaving ??= []).push(edit);
  }

  owe(name: string, value: string): void {
    (this.owed ??= []).push([name, value]);
  }

  #parts(): Split {
    const { target } = this.exchange;
    if (this.#split?.target !== target) this.#split = new Split(target);
    return this.#split;
  }
}

/** A target taken apart, for as long as it stands. */
class Split {
  readonly target: string;
  readonly path: string;
  #params: URLSearchParams | undefined;

  constructor(target: string) {
    this.target = target;
    this.path = cleanPath(pathOf(target));
  }

  get params(): URLSearchParams {
    return (this.#params ??= new URLSearchParams(queryOf(this.target)));
  }
}

export function pathOf(target: string): string {
  const mark = target.indexOf("?");
  return mark < 0 ? target : target.slice(0, mark);
}

/** Without its "?". */
export function queryOf(target: string): string {
  const mark = target.indexOf("?");
  return mark < 0 ? "" : target.slice(mark + 1);
}

/** The exchange with some of it changed; the rest is the original's. */
export function altered(exchange: Exchange, changes: Alterations): Exchange {
  const { proto, scheme, tls, peer, localPort } = exchange;
  const { method = exchange.method, target = exchange.target, fields = exchange.fields } = changes;
  const bare = changes.bare === true;
  return {
    ...{ method, target, fields, proto, scheme, tls, peer },
    body: bare ? undefined : exchange.body,
    upgrade: bare ? undefined : exchange.upgrade,
    ...(localPort !== undefined && { localPort }),
    // Some engines make the signal only for those who ask.
    get signal() {
      return exchange.signal;
    },
    ...(!bare && exchange.interim !== undefined &&
      { interim: (status, sent) => exchange.interim?.(status, sent) }),
    answer: (reply) => exchange.answer(reply),
  };
}

/** A client's connection in HTTP/2, in memory: with a clock that stands still, and a client that speaks by hand. */
import assert from "node:assert/strict";
import { Deadlines } from "../../src/deadlines.ts";
import type { Exchange } from "../../src/model.ts";
import { sourceOf } from "../../src/source.ts";
import type { Packed } from "../../src/wire/h2_hpack.ts";
import { StreamShare } from "../../src/wire/h2_share.ts";
import { H2Server } from "../../src/wire/h2_server.ts";
import { SERVER_LIMITS } from "../../src/wire/limits.ts";
import { ManualClock, settled } from "../support/manual_clock.ts";
import { bytes } from "../support/fake_bytes.ts";
import { H2Peer } from "./h2_peer.ts";
import { MemoryConnection } from "./memory_net.ts";
import { reply, type Serve } from "./served.ts";

/** What every request must say. */
export const ASKED: readonly Packed[] = [
  [":method", "GET"],
  [":scheme", "http"],
  [":authority", "a.test"],
  [":path", "/"],
];

/** A request's fields: those that every one must have, some of them otherwise, and more. */
export function asking(what: Record<string, string | undefined> = {}, ...more: Packed[]): Packed[] {
  const pseudo = Object.entries({ ...Object.fromEntries(ASKED), ...what });
  const said = pseudo.flatMap(([name, value]): Packed[] =>
    value === undefined ? [] : [[name, value]]
  );
  return [...said, ...more];
}

export const POST = asking({ ":method": "POST" });

/** Answers with the path, all at once. */
export const sayPath: Serve = (exchange) =>
  exchange.answer(reply({ body: sourceOf(bytes(exchange.target)) }));

/** A connection on which nothing was said yet. */
export function connect(
  serve: Serve = sayPath,
  { limits = SERVER_LIMITS, share = new StreamShare(1_000) } = {},
) {
  const clock = new ManualClock();
  const connection = new MemoryConnection();
  const client = new H2Peer(connection, "client");
  const exchanges: Exchange[] = [];
  const refusals: string[] = [];
  const bugs: string[] = [];
  let gone = 0;
  const server = new H2Server(connection, {
    clock,
    deadlines: new Deadlines(clock),
    limits,
    serve: async (exchange) => {
      exchanges.push(exchange);
      await serve(exchange);
    },
    refused: ({ status, reason }) => void refusals.push(`${status} ${reason}`),
    bug: (error) => void bugs.push(String(error)),
    localPort: 8080,
    share,
    gone: () => void gone++,
  });
  return { clock, connection, client, server, exchanges, refusals, bugs, gone: () => gone };
}

/** A connection past the pleasantries. */
export function open(
  serve: Serve = sayPath,
  settings: readonly (readonly [number, number])[] = [],
  share?: StreamShare,
) {
  const opened = connect(serve, share && { share });
  opened.client.preface().greet(settings);
  opened.client.heard();
  return opened;
}

export type Opened = ReturnType<typeof open>;

/** Proves that the connection goes on: one more request is answered. */
export async function goesOn({ client, connection }: Opened, stream = 101): Promise<void> {
  client.headers(stream, asking({ ":path": "/on" }), true);
  await settled();
  const answer = client.said().filter((words) => words.includes(` ${stream} `));
  assert.deepEqual(answer, [
    `headers ${stream} :status=200 content-length=3`,
    `data ${stream} end "/on"`,
  ]);
  assert.equal(connection.state, "open");
}

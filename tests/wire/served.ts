/** A server connection in memory, with a clock that stands still and exchanges that a test answers. */
import { Fields } from "../../src/fields.ts";
import type { Exchange, Reply } from "../../src/model.ts";
import { Deadlines } from "../../src/deadlines.ts";
import { SERVER_LIMITS } from "../../src/wire/limits.ts";
import { ServerConnection } from "../../src/wire/server.ts";
import { FakeBody } from "../support/fake_bytes.ts";
import { ManualClock, settled } from "../support/manual_clock.ts";
import { MemoryConnection } from "./memory_net.ts";

export const HOST = "Host: a.test\r\n";
export const GET = `GET / HTTP/1.1\r\n${HOST}\r\n`;
export const OLD = `GET / HTTP/1.0\r\n${HOST}\r\n`;

export const get = (path: string, fields = "") => `GET ${path} HTTP/1.1\r\n${HOST}${fields}\r\n`;
export const post = (fields: string, body = "") => `POST / HTTP/1.1\r\n${HOST}${fields}\r\n${body}`;

export function reply(what: Partial<Reply> = {}): Reply {
  const nothing = { reason: "", body: undefined, tunnel: undefined };
  return { status: 200, fields: Fields.empty(), ...nothing, ...what };
}

export type Serve = (exchange: Exchange) => Promise<unknown>;
export const echoPath: Serve = (exchange) =>
  exchange.answer(
    reply({ body: new FakeBody([exchange.target], { lengthBytes: exchange.target.length }) }),
  );

export function open(serve: Serve = echoPath) {
  const clock = new ManualClock();
  const connection = new MemoryConnection();
  const exchanges: Exchange[] = [];
  const refusals: string[] = [];
  let gone = 0;
  const server = new ServerConnection(connection, {
    clock,
    deadlines: new Deadlines(clock),
    limits: SERVER_LIMITS,
    serve: async (exchange) => {
      exchanges.push(exchange);
      await serve(exchange);
    },
    refused: ({ status, reason }) => void refusals.push(`${status} ${reason}`),
    localPort: 8080,
    gone: () => void gone++,
  });
  return { refusals, clock, connection, server, exchanges, gone: () => gone };
}

/** Answers when told to. */
export function held() {
  const waiting: Exchange[] = [];
  const serve: Serve = (exchange) =>
    new Promise((resolve) => {
      waiting.push(exchange);
      done.push(() => resolve(undefined));
    });
  const done: (() => void)[] = [];
  const release = async (what?: Partial<Reply>) => {
    const delivery = await waiting.shift()?.answer(reply(what));
    done.shift()?.();
    await settled();
    return delivery;
  };
  return { serve, release, waiting };
}

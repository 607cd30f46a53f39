/** Requests amid their way through the steps, for tests of what is asked of them. */
import type { Snapshot } from "../../src/request/deps.ts";
import { buildRouter } from "../../src/request/route.ts";
import { Story } from "../../src/request/story.ts";
import { Visit } from "../../src/request/visit.ts";
import { type Asked, FakeExchange } from "./fake_exchange.ts";

const NOTHING: Snapshot = {
  router: buildRouter([]),
  trustedProxies: [],
  edge: undefined,
  pool: () => undefined,
};

export interface VisitChanges extends Asked {
  readonly clientIp?: string;
  readonly viaTrusted?: boolean;
}

export function visit({ clientIp, viaTrusted, ...asked }: VisitChanges = {}): Visit {
  const exchange = new FakeExchange(asked);
  const client = { ip: clientIp ?? exchange.peer.ip, viaTrusted: viaTrusted ?? false };
  const story = new Story("id-1", client);
  return new Visit(exchange, exchange.fields.get("host") ?? "", NOTHING, story);
}

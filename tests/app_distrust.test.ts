/** Connections kept to an upstream are given up when it is found down: a suspended host leaves them half-open. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { platform } from "#platform";
import { Proxy } from "../src/app.ts";
import { Logger } from "../src/ops/log.ts";
import { config, health, route, upstream } from "./support/fake_route.ts";
import { answer, FakeTransport, notSent } from "./support/fake_transport.ts";
import { WORLD } from "./support/fake_world.ts";
import { ManualClock } from "./support/manual_clock.ts";

it("Proxy distrusts an upstream when its phase turns down, and no other", async () => {
  const clock = new ManualClock();
  const transport = new FakeTransport().on("a", answer(200)).on("b", answer(200));
  const rules = health({ intervalMs: 1_000, fall: 1 });
  const routes = [route({ upstreams: [upstream("a"), upstream("b")], health: rules })];
  const proxy = await Proxy.open(config({ routes }), {
    engine: {
      transport,
      listen: (address) =>
        Promise.resolve({ address, close: () => Promise.resolve(), abort: () => {} }),
    },
    log: new Logger({ format: "off", level: "info" }, {
      now: () => clock.now(),
      write: () => {},
      later: () => {},
      colours: false,
    }),
    clock,
    names: platform.names,
    ...WORLD,
  });
  await clock.advance(5_000);
  assert.deepEqual(transport.distrusted, []);
  transport.on("a", notSent());
  await clock.advance(5_000);
  assert.deepEqual(transport.distrusted, ["a"]);
  await proxy.drain(0);
});

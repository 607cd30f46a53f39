/** What clients are told of upstreams where `expose` is on, and that they are told nothing else. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { auth, guard } from "../support/fake_guard.ts";
import { RelayBench } from "../support/fake_relay.ts";
import { health, retry, route } from "../support/fake_route.ts";
import { answer, notSent } from "../support/fake_transport.ts";

type Marks = (string | undefined)[];

async function marks(bench: RelayBench): Promise<Marks> {
  const { exchange } = await bench.ask();
  const names = ["x-understudy-upstream", "x-understudy-attempts", "x-understudy-reason"];
  return names.map((name) => exchange.reply?.fields.get(name));
}

describe("createRelay() with expose", () => {
  const refuses = notSent();
  const cases: [string, (bench: RelayBench) => void, Marks][] = [
    ["names who answered", () => {}, ["a", "1", undefined]],
    ["says what failed before", ({ transport }) => transport.on("a", refuses), [
      "b",
      "2",
      "refused",
    ]],
    ["says that a status failed over", ({ transport }) => transport.on("a", answer(503)), [
      "b",
      "2",
      "status",
    ]],
    ["says what failed where nobody answered", ({ transport }) => {
      transport.on("a", refuses).on("b", notSent("dial_timeout"));
    }, [undefined, "2", "refused, dial_timeout"]],
    ["says who was passed over as it is down", (bench) => bench.probed("a", false), [
      "b",
      "1",
      "down",
    ]],
    ["says so of all where nobody can be asked", (bench) => {
      bench.probed("a", false);
      bench.entry("b").drain(true);
    }, [undefined, "0", "down, drained"]],
  ];
  for (const [title, prepare, expected] of cases) {
    it(title, async () => {
      const rules = retry({ status: [{ from: 503, to: 503 }] });
      const bench = new RelayBench(
        route({ expose: true, retry: rules, health: health({ initState: "up" }) }),
      );
      prepare(bench);
      assert.deepEqual(await marks(bench), expected);
    });
  }

  it("tells nothing by default", async () => {
    assert.deepEqual(await marks(new RelayBench(route())), [undefined, undefined, undefined]);
  });

  it("tells nothing to those who are turned away", async () => {
    const bench = new RelayBench(route({ expose: true, guard: guard({ auth: auth() }) }));
    assert.deepEqual(await marks(bench), [undefined, undefined, undefined]);
  });

  it("takes the place of what an upstream says of itself", async () => {
    const bench = new RelayBench(route({ expose: true }));
    const fields = [["X-Understudy-Upstream", "inner"], ["X-Understudy-Reason", "closed"]] as const;
    bench.transport.on("a", answer(200, { fields }));
    assert.deepEqual(await marks(bench), ["a", "1", undefined]);
  });
});

/** The stand-in's command line, and the one line it prints. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseStandInArgs, runStandIn } from "../../src/demo/stand_in.ts";
import { OPTIONS } from "./bench.ts";
import { LeapClock } from "./leap_clock.ts";

const DEFAULTS = {
  name: "stand-in",
  models: ["llama3.2"],
  tokenEveryMs: 20,
  tokens: 40,
  loadDelayMs: 0,
  address: { kind: "tcp", host: "127.0.0.1", port: 0 },
};

describe("parseStandInArgs()", () => {
  it("gives the defaults when there are no arguments", () => {
    assert.deepEqual(parseStandInArgs([]), { kind: "parsed", options: DEFAULTS });
  });

  it("reads every argument when all are given", () => {
    const args =
      "--name gpu --port 11434 --token-every 1s --tokens 7 --load-delay 250 --models=a,b --host ::1";
    assert.deepEqual(parseStandInArgs(args.split(" ")), {
      kind: "parsed",
      options: {
        name: "gpu",
        models: ["a", "b"],
        tokenEveryMs: 1000,
        tokens: 7,
        loadDelayMs: 250,
        address: { kind: "tcp", host: "::1", port: 11434 },
      },
    });
  });

  const refused: [string[], string][] = [
    [["--port", "x"], 'stand-in: --port: expected a number from 0 to 65535 but received "x"'],
    [
      ["--port", "65536"],
      'stand-in: --port: expected a number from 0 to 65535 but received "65536"',
    ],
    [["--name"], "stand-in: --name: expected a value"],
    [["--name", ""], 'stand-in: --name: expected a name but received ""'],
    [
      ["--load-delay", "-1s"],
      'stand-in: --load-delay: expected a duration such as "20ms" but received "-1s"',
    ],
    [["--nmae", "x"], "stand-in: --nmae: unknown argument"],
  ];
  for (const [args, problem] of refused) {
    it(`says why when it is given ${args.join(" ")}`, () => {
      assert.deepEqual(parseStandInArgs(args), { kind: "refused", problem });
    });
  }
});

describe("runStandIn()", () => {
  it("prints where it listens when it is ready", async () => {
    let printed = "";
    const address = { kind: "tcp", host: "127.0.0.1", port: 40000 } as const;
    const server = { address, close: () => Promise.resolve(), abort: () => {} };
    await runStandIn({
      clock: new LeapClock(),
      stdout: { isTerminal: false, write: (text) => void (printed += text) },
      serve: () => Promise.resolve(server),
    }, { ...OPTIONS, address: { ...address, port: 0 } });
    assert.equal(printed, "stand-in gpu listening on http://127.0.0.1:40000\n");
  });
});

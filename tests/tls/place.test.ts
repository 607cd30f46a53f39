/** Where certificates are kept, from what is configured down to the home of whoever runs it. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { storagePlace } from "../../src/tls/place.ts";

const ENV = {
  STATE_DIRECTORY: "/var/lib/proxy:/var/lib/other",
  XDG_DATA_HOME: "/data",
  HOME: "/home/ann",
};

describe("storagePlace()", () => {
  const cases: [
    string,
    string | undefined,
    number | undefined,
    Partial<typeof ENV>,
    string | undefined,
  ][] = [
    ["what is configured, before all else", "certs", 0, ENV, "certs"],
    ["the service's folder, its first", undefined, 0, ENV, "/var/lib/proxy"],
    ["the system's for root", undefined, 0, { ...ENV, STATE_DIRECTORY: "" }, "/var/lib/understudy"],
    ["the user's data", undefined, 1000, { ...ENV, STATE_DIRECTORY: "" }, "/data/understudy"],
    [
      "the home where the data is nowhere",
      undefined,
      1000,
      { HOME: "/home/ann" },
      "/home/ann/.local/share/understudy",
    ],
    [
      "the home where the data is anywhere",
      undefined,
      1000,
      { HOME: "/h", XDG_DATA_HOME: "data" },
      "/h/.local/share/understudy",
    ],
    [
      "the home where users have no numbers",
      undefined,
      undefined,
      { HOME: "/h" },
      "/h/.local/share/understudy",
    ],
    ["nothing where there is no home", undefined, 1000, {}, undefined],
  ];
  for (const [title, configured, userId, env, expected] of cases) {
    it(`takes ${title}`, () => {
      const named = new Map(Object.entries(env));
      const place = storagePlace({ configured, userId, env: (name) => named.get(name) });
      assert.equal(place, expected);
    });
  }
});

/** Where commands look for the authority, and the flags by which root would find the same. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { platform as real } from "#platform";
import { parse, UsageError } from "../../src/cli/command.ts";
import { PlaceError, storageOf } from "../../src/cli/storage_place.ts";
import { trust } from "../../src/cli/trust.ts";
import { FileError, type Platform } from "../../src/platform/platform.ts";

interface Scene {
  readonly userId?: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly files?: Readonly<Record<string, string>>;
}

const SYSTEM_ROOT = "/var/lib/understudy/internal/root.pem";
const ANNS = "/home/ann/.local/share/understudy";
const ANN = { HOME: "/home/ann" };

function found(words: readonly string[], { userId = 1000, env = ANN, files = {} }: Scene) {
  const fake: Platform = {
    ...real,
    userId: () => userId,
    env: (name) => new Map(Object.entries(env)).get(name),
    fileExists: (path) => Promise.resolve(files[path] !== undefined),
    readText: (path) =>
      files[path] === undefined
        ? Promise.reject(new FileError(`Cannot read "${path}": no such file`))
        : Promise.resolve(files[path]),
    ownerOf(path) {
      const isThere = Object.keys(files).some((one) => one.startsWith(path));
      return Promise.resolve(isThere ? { userId: 0, groupId: 0 } : undefined);
    },
    runProgram(file, args) {
      assert.deepEqual([file, ...args], ["getent", "passwd", "ann"]);
      const stdout = "ann:x:1000:1000:Ann:/home/ann:/bin/bash\n";
      return Promise.resolve({ code: 0, stdout, stderr: "" });
    },
  };
  return storageOf(parse(trust, words), fake);
}

describe("storageOf()", () => {
  const cases: [string, string[], Scene, string, string[]][] = [
    ["takes what the flag says", ["--storage", "x"], {}, "x", ["--storage", "x"]],
    [
      "takes what a configuration says that it is told of",
      ["--config", "a.yaml"],
      { files: { "a.yaml": "tls: { storage: /srv/tls }" } },
      "/srv/tls",
      ["--config", "a.yaml"],
    ],
    [
      "takes what the usual configuration says",
      [],
      { files: { "/etc/understudy/config.yaml": "tls:\n  storage: /srv/tls\nroutes: ${UNSET}\n" } },
      "/srv/tls",
      [],
    ],
    [
      "takes the usual place where the configuration says nothing",
      [],
      { userId: 0, files: { "config.yaml": "tls: internal\n" } },
      "/var/lib/understudy",
      [],
    ],
    [
      "takes the usual place where the configuration is no YAML",
      [],
      { userId: 0, files: { "config.yaml": "a: [" } },
      "/var/lib/understudy",
      [],
    ],
    [
      "takes what the configuration makes of its environment",
      [],
      {
        env: { DIR: "/srv" },
        files: {
          "config.yaml":
            'listen: ":443"\ntls: { storage: "${DIR}/tls" }\nroutes: [{ host: a.lan, upstreams: [http://a] }]',
        },
      },
      "/srv/tls",
      [],
    ],
    [
      "takes the usual place with a Caddyfile that says nothing",
      ["--config", "Caddyfile"],
      { userId: 0, files: { Caddyfile: "http://a.lan {\n\treverse_proxy http://a\n}\n" } },
      "/var/lib/understudy",
      [],
    ],
    ["takes a user's own where there is no other", [], {}, ANNS, ["--storage", ANNS]],
    [
      "takes a user's own where an authority is there",
      [],
      { files: { [`${ANNS}/internal/root.pem`]: "", [SYSTEM_ROOT]: "" } },
      ANNS,
      ["--storage", ANNS],
    ],
    [
      "leads root to the system's where that is all",
      [],
      { files: { [SYSTEM_ROOT]: "" } },
      ANNS,
      [],
    ],
    [
      "takes the caller's of sudo where only there is an authority",
      [],
      {
        userId: 0,
        env: { HOME: "/root", SUDO_USER: "ann" },
        files: { [`${ANNS}/internal/root.pem`]: "" },
      },
      ANNS,
      ["--storage", ANNS],
    ],
    [
      "takes the system's before the caller's of sudo",
      [],
      {
        userId: 0,
        env: { SUDO_USER: "ann" },
        files: { [`${ANNS}/internal/root.pem`]: "", [SYSTEM_ROOT]: "" },
      },
      "/var/lib/understudy",
      [],
    ],
    [
      "takes the system's where there is none yet",
      [],
      { userId: 0, env: { SUDO_USER: "ann" } },
      "/var/lib/understudy",
      [],
    ],
  ];
  for (const [title, words, scene, folder, flags] of cases) {
    it(title, async () => assert.deepEqual(await found(words, scene), { folder, flags }));
  }

  it("says so when nobody can tell", async () => {
    await assert.rejects(
      found([], { env: {} }),
      new PlaceError(
        "Cannot tell where certificates are kept: HOME is not set; name the folder with --storage PATH",
      ),
    );
    await assert.rejects(
      found([], { files: { "config.yaml": 'tls: { storage: "${DIR}/tls" }' } }),
      new PlaceError(
        'Cannot tell where certificates are kept: "config.yaml" says "${DIR}/tls"; name the folder with --storage PATH',
      ),
    );
    await assert.rejects(found(["--config", "none.yaml"], {}), FileError);
    await assert.rejects(
      found(["--config", "Caddyfile"], { files: { Caddyfile: "nonsense {" } }),
      (error) => error instanceof PlaceError && /\nName the folder of cert/.test(error.message),
    );
    await assert.rejects(found(["--config", "a", "--storage", "b"], {}), UsageError);
  });
});

/**
 * Where the operator looks in: the section `admin`. It is on by itself, for this machine alone; whoever
 * lets others in names a token. Defaults and bounds live here.
 */
import * as v from "valibot";
import { isLoopback } from "../ip.ts";
import type { Address, AdminRules } from "../rules.ts";
import { readListen, toHost } from "./address.ts";
import * as leaves from "./leaves.ts";
import { isMap, read, type Reading, refuse } from "./reading.ts";
import { about, either, keyed, leaf, oneOrMore, type Schema } from "./shape.ts";

const USUAL: Address = { kind: "tcp", host: "127.0.0.1", port: 2020 };
const SLOW_MS = 10_000;
const TOKEN_LEAST_CHARS = 16;

const Listen = leaf(
  { type: "string", pattern: ":|\\$\\{", examples: ["127.0.0.1:2020"] },
  readListen,
);

const ListenOrOff = leaf(
  { type: ["string", "boolean"], pattern: "^off$|:|\\$\\{", examples: ["127.0.0.1:2020", "off"] },
  (written): Reading<Address | "off"> => {
    if (written === "off" || written === false) return read("off");
    const reading = readListen(written);
    if (reading.kind === "read") return reading;
    return refuse('an address such as "127.0.0.1:2020", or "off",');
  },
);

const Token = leaf(
  { type: "string" },
  (written): Reading<string> => {
    const fits = typeof written === "string" && written.length >= TOKEN_LEAST_CHARS &&
      /^[\x21-\x7e]{1,1000}$/.test(written);
    const expected = `a token of at least ${TOKEN_LEAST_CHARS} visible characters`;
    return fits ? read(written) : refuse(expected, "something else");
  },
);

const Origin = leaf(
  { type: "string", pattern: "^https?://|\\$\\{", examples: ["https://understudy.example.com"] },
  (written): Reading<string> => {
    const expected = 'an origin such as "https://understudy.example.com", without a path';
    const [, place = ""] = typeof written === "string"
      ? /^https?:\/\/([^/]+)\/?$/i.exec(written) ?? []
      : [];
    const host = toHost(place.replace(/:\d{1,5}$/, ""));
    if (host === undefined || typeof written !== "string" || !URL.canParse(written)) {
      return refuse(expected);
    }
    return read(new URL(written).origin);
  },
);

const Section = keyed({
  listen: about("Where it listens; 127.0.0.1:2020 unless set.", v.optional(Listen)),
  token: about(
    "What everyone who asks must know, as a bearer token; needed where others than this machine can ask.",
    v.optional(Token),
  ),
  origins: about(
    "Origins besides its own address under which browsers reach it, such as that of a proxy before it.",
    v.optional(oneOrMore(Origin)),
  ),
  slow: about(
    "A response head that takes longer makes a request worth remembering; 10s unless set.",
    v.optional(leaves.duration(1)),
  ),
});

export const Admin: Schema<AdminRules | undefined> = v.pipe(
  either(
    (written) => !isMap(written),
    v.pipe(
      ListenOrOff,
      v.transform((address): AdminRules | undefined =>
        address === "off"
          ? undefined
          : { address, written: true, token: undefined, origins: [], slowMs: SLOW_MS }
      ),
    ),
    v.pipe(
      Section,
      v.transform(({ listen, token, origins, slow }): AdminRules => ({
        address: listen ?? USUAL,
        written: listen !== undefined,
        token,
        origins: origins ?? [],
        slowMs: slow ?? SLOW_MS,
      })),
    ),
  ),
  v.rawCheck(({ dataset, addIssue }) => {
    if (!dataset.typed || dataset.value === undefined) return;
    const { address, token } = dataset.value;
    if (token !== undefined || (address.kind === "tcp" && isLoopback(address.host))) return;
    addIssue({
      expected: "a token, as others than this machine can ask there,",
      received: "none",
    });
  }),
);

/** The directive basic_auth: names and bcrypt hashes. */
import { type DirectiveRule, type Directives, hasArgs, placeOf } from "./directive.ts";
import { WrittenMap } from "./written.ts";

const basic_auth: DirectiveRule = {
  takesMatcher: true,
  translate(directive, context) {
    const { name, args: [algorithm, realm], block } = directive;
    const where = "basic_auth";
    if (!hasArgs(directive, [0, 2], { context, where })) return [];
    if (algorithm !== undefined && algorithm.text !== "bcrypt") {
      context.refuse(algorithm, "basic_auth.algorithm");
      return [];
    }
    const at = placeOf(name, where);
    const map = new WrittenMap(at);
    if (realm !== undefined) map.set("realm", context.plain(realm, where), placeOf(realm, where));
    for (const line of block ?? []) {
      const [hash] = line.args;
      if (!hasArgs(line, [1, 1], { context, where }) || hash === undefined) continue;
      const place = placeOf(line.name, where);
      map.map("users", at)
        .set(line.name.text, context.plain(hash, where), place)
        .comment(line.name.text, line.comments);
    }
    if (!map.has("users")) {
      context.problem(
        name,
        where,
        "Expected at least one user and a bcrypt hash but received none",
      );
      return [];
    }
    context.took(name, where);
    return [new WrittenMap(at).set("basic_auth", map, at)];
  },
};

export const AUTH_DIRECTIVES: Directives = { basic_auth, basicauth: basic_auth };

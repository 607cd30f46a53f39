/** The directives of proxying, for the registry of all directives. */
import type { DirectiveRule, Directives } from "./directive.ts";
import { FORWARD_AUTH } from "./forward_auth.ts";
import { COPY_RESPONSE, COPY_RESPONSE_HEADERS } from "./proxy_copy_response.ts";
import { REVERSE_PROXY } from "./reverse_proxy.ts";

const INTERCEPT: DirectiveRule = {
  takesMatcher: true,
  translate({ name }, context) {
    context.refuse(name, "intercept");
    return [];
  },
};

export const PROXY_DIRECTIVES: Directives = {
  reverse_proxy: REVERSE_PROXY,
  forward_auth: FORWARD_AUTH,
  intercept: INTERCEPT,
  copy_response: COPY_RESPONSE,
  copy_response_headers: COPY_RESPONSE_HEADERS,
};

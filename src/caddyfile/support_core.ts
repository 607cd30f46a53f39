/**
 * What is known of Caddy's directives, those of proxying aside, which have their own list beside this
 * one. The importer refuses by it and `validate` prints from it.
 */
import type { Support } from "./directive.ts";
import { GLOBAL_SUPPORT } from "./support_core_globals.ts";
import { MATCHER_SUPPORT } from "./support_core_matchers.ts";
import { better, different, refused, same } from "./support_rows.ts";
import { TLS_SUPPORT } from "./support_tls.ts";

const NO_FILES = "this is a proxy, and serves no files";
const A_FILE_SERVER = "reverse_proxy to a server of files";

const BLOCKS: readonly Support[] = [
  same("handle", "steps", "several side by side become `first_of`"),
  same("handle_path", "steps", "`match.path` and `rewrite.strip_prefix`"),
  same("route", "steps", "in the order of the file"),
  same("invoke", "steps", "the steps of the named route, written out"),
  different(
    "import",
    "",
    "snippets and files are read in place; `{args[0]}`, `{args[:]}` and `{block}` are filled in",
  ),
  refused(
    "import.blocks",
    "only a whole `{block}` can be handed to a snippet",
    "`{block}`, or a snippet for each part",
  ),
  same("handle_errors", "errors"),
];

const ANSWERS: readonly Support[] = [
  same("respond", "respond"),
  same("respond.body", "respond.body"),
  same("respond.close", "respond.close"),
  same("redir", "redirect"),
  refused("redir.html", "there is no page that redirects", "the code temporary"),
  refused("redir.status", "redirects have a status from 300 to 399", "respond with that status"),
  same("error", "error"),
  same("error.message", "error.message"),
  refused("abort", "a request is always answered", "`respond 403 { close }`"),
  same("encode", "encode"),
  different("encode.gzip", "encode", "the runtime chooses the level of compression"),
  different("encode.zstd", "encode", "the runtime chooses the level of compression"),
  same("encode.minimum_length", "encode.minimum_length"),
  refused("encode.format", "gzip and zstd are the formats there are", "gzip or zstd"),
  refused(
    "encode.match",
    "the types worth compressing are known already",
    "`encode.match` in YAML, after adapt",
  ),
];

const EDITS: readonly Support[] = [
  same("rewrite", "rewrite.uri"),
  same("method", "rewrite.method"),
  same("uri.strip_prefix", "rewrite.strip_prefix"),
  same("uri.strip_suffix", "rewrite.strip_suffix"),
  same("uri.replace", "rewrite.replace"),
  same("uri.path_regexp", "rewrite.replace"),
  refused(
    "uri.query",
    "single parameters of a query cannot be edited",
    "rewrite with a whole query",
  ),
  same("vars", "vars"),
  different(
    "header",
    "headers.response",
    "every edit is made as the response leaves, whoever gave it: fields of upstreams are found and replaced, and errors edited, too",
  ),
  same("header.defer", "", "every edit is made as the response leaves"),
  refused(
    "header.match",
    "edits do not look at the response",
    "`header_down` of reverse_proxy, or `responses` in YAML",
  ),
  same("request_header", "headers.request"),
  same("request_body", "limits.request_body"),
  same("request_body.max_size", "limits.request_body"),
  refused(
    "request_body.read_timeout",
    "request bodies have no time limit of their own",
    "`transport http { write_timeout }` of reverse_proxy, which bounds how long an upstream takes nothing",
  ),
  refused(
    "request_body.write_timeout",
    "request bodies have no time limit of their own",
    "`transport http { write_timeout }` of reverse_proxy, which bounds how long an upstream takes nothing",
  ),
  refused(
    "request_body.set",
    "bodies pass as they are",
    "request_header or rewrite, to tell the upstream in the head",
  ),
  same("basic_auth", "basic_auth"),
  refused("basic_auth.algorithm", "bcrypt is the only hash it knows", "bcrypt"),
];

const SITES: readonly Support[] = [
  same("bind", "listen"),
  refused("bind.unix", "clients are only listened to on TCP", "an address such as 127.0.0.1"),
  different(
    "log",
    "log",
    "every request is logged, also on sites without it; log_skip or `output discard` leave them out",
  ),
  same("log.output", "access_log"),
  refused(
    "log.output.file",
    "logs go to standard output",
    "what starts it to write them to a file",
  ),
  refused("log.output.stderr", "logs go to standard output", "`output stdout`"),
  refused("log.output.net", "logs go to standard output", "`output stdout` and a collector"),
  same("log.format", "log.format", "json, or console, which is `text`"),
  refused("log.format.other", "json and console are the formats there are", "json or console"),
  different("log.level", "", "access lines are of level info"),
  refused("log.level.other", "access lines are of level info", "no level here"),
  refused(
    "log.hostnames",
    "a site logs all of its hosts alike",
    "a site of its own for these hosts",
  ),
  refused(
    "log.no_hostname",
    "a site logs all of its hosts alike",
    "a site of its own for these hosts",
  ),
  refused("log.include", "there is one log", "`log_skip` to leave requests out"),
  refused("log.exclude", "there is one log", "`log_skip` to leave requests out"),
  refused("log.sampling", "every request is logged", "`log_skip` to leave requests out"),
  refused("log.core", "there is one way to log", "`output stdout`"),
  same("log_skip", "access_log"),
  same("skip_log", "access_log"),
  refused(
    "log_append",
    "access lines have fixed fields",
    "`header`, as the fields of the response are in the line",
  ),
  refused("log_name", "there is one log", "the host in the line to tell sites apart"),
];

const STRANGERS: readonly Support[] = [
  refused("acme_server", "it gives certificates to itself alone", "reverse_proxy to what does"),
  refused("file_server", NO_FILES, A_FILE_SERVER),
  refused("fs", NO_FILES, A_FILE_SERVER),
  refused("map", "variables are set one by one", "`vars` with a matcher, once for each value"),
  refused(
    "metrics",
    "metrics are at `/metrics` of the admin listener, not on sites",
    "the global option `admin` for where that is",
  ),
  refused("php_fastcgi", "it does not speak FastCGI", "reverse_proxy to a server that speaks HTTP"),
  refused(
    "push",
    "HTTP/2 push is not done any more",
    "`header Link`; early hints of an upstream are passed on",
  ),
  refused("root", NO_FILES, A_FILE_SERVER),
  refused("templates", "it makes no pages", "reverse_proxy to what makes them"),
  refused("tracing", "it does not trace yet", "`{http.request.uuid}` in a header"),
  refused("try_files", NO_FILES, A_FILE_SERVER),
];

const ADDRESSES: readonly Support[] = [
  same(
    "site host",
    "listen",
    "with TLS on port 443, or on `https_port`; requests on port 80, or on `http_port`, are sent on",
  ),
  different(
    "site private host",
    "",
    "gets its certificate from the authority here: addresses, `localhost`, `.local`, `.internal` and " +
      "`.home.arpa` as in Caddy, and also `.lan`, `.test`, `.example`, `.invalid` and names of one label",
  ),
  refused(
    "site *.ts.net",
    "Caddy has Tailscale give it a certificate",
    "`tls CERT KEY` with the files that `tailscale cert` writes",
  ),
  same("site https://host", "listen", "port 443, or `https_port`"),
  same("site host:port", "routes.port", "with TLS; `port` is written where there are several"),
  same("site http://host", "routes.host", "on port 80, or on `http_port`"),
  same("site http://host:port", "routes.port", "`port` is written where there are several"),
  same(
    "site http:// and https://",
    "tls.redirect",
    "a host in both is answered in the clear as well",
  ),
  same(
    "site *.host",
    "routes.host",
    "exactly one label; its certificate also serves names below that are sites of their own",
  ),
  different(
    "site :443",
    "listen",
    "private names and addresses that nobody else has are given a certificate when asked for; in Caddy none is",
  ),
  same("site :port", "listen", "in the clear, unless it has `tls` or others there speak TLS"),
  different(
    "site host/path",
    "routes.path",
    "`/path/*` leads to the site by the prefix `/path`, on borders of segments",
  ),
  refused(
    "site http://host:8443",
    "a port speaks TLS or it does not, in Caddy as well",
    "a port of its own",
  ),
  better(
    "site without address",
    "routes.host",
    "Caddy refuses a file that is nothing but directives; here it is one site on `:8080`",
  ),
];

export const CORE_SUPPORT: readonly Support[] = [
  ...BLOCKS,
  ...ANSWERS,
  ...EDITS,
  ...SITES,
  ...STRANGERS,
  ...ADDRESSES,
  ...TLS_SUPPORT,
  ...MATCHER_SUPPORT,
  ...GLOBAL_SUPPORT,
];

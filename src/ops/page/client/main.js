/**
 * The page at work: holds what is known and what is asked, hears the process, and draws. Everything
 * on the page follows from `page`; nothing is kept in the document.
 *
 * @typedef {import("../../status.ts").Status} Status
 * @typedef {import("../../status.ts").UpstreamStatus} UpstreamStatus
 * @typedef {import("./actions.js").Asked} Asked
 * @typedef {import("./link.js").Heard} Heard
 */
import { ACTS, perform, play } from "./actions.js";
import { h, morph } from "./dom.js";
import { heardBy } from "./hearing.js";
import { call, forgetToken, keepToken, listen, Refused, Unauthorised } from "./link.js";
import { certificateSection, downloadRoot } from "./view_certificates.js";
import { banners, foot, head, icon, tab, tokenForm } from "./view_frame.js";
import { notableSection } from "./view_notable.js";
import { poolSection } from "./view_pool.js";

/** The series and the last probes are read anew this often. */
const REFRESH_MS = 3000;
const RETRY_MS = [250, 500, 1000, 2000];
const SAID_MS = 8000;

const page = {
  /** @type {Status | undefined} */
  status: undefined,
  /** @type {import("./view_frame.js").Link} */
  link: { state: "connecting", lostAt: 0 },
  tokenRefused: false,
  /** @type {Asked | undefined} */
  asked: undefined,
  said: "",
};

let drawn = false;
/** Draws in the next frame; a tab that nobody sees has none. */
function draw() {
  if (drawn) return;
  drawn = true;
  requestAnimationFrame(() => {
    drawn = false;
    render();
  });
}

function render() {
  const { status, link, asked } = page;
  show("top", head(status, link));
  show("banners", banners(status, link));
  show("said", page.said !== "" && h("p", {}, page.said));
  document.body.dataset["link"] = link.state;
  if (link.state === "token") return show("main", tokenForm(page.tokenRefused));
  if (status === undefined) return;

  const scene = { status, asked };
  show(
    "main",
    ...status.routes.flatMap((route) => route.pools.map((pool) => poolSection(route, pool, scene))),
    certificateSection(status),
    notableSection(status.notable, status.now),
  );
  show("foot", foot(status));
  if (performance.getEntriesByName("shown").length === 0) performance.mark("shown");
  const { title, colour } = tab(status);
  document.title = `${title} · understudy`;
  const link_ = document.querySelector("link[rel=icon]");
  const href = icon(colour);
  if (link_ !== null && link_.getAttribute("href") !== href) link_.setAttribute("href", href);
}

/**
 * @param {string} id
 * @param {...(Node | false)} children
 */
function show(id, ...children) {
  const live = document.getElementById(id);
  if (live === null) return;
  const next = /** @type {Element} */ (live.cloneNode(false));
  next.append(...children.filter((child) => child !== false));
  morph(live, next);
}

let reading = false;
let readAgain = false;
/** Reads the status anew; calls that come meanwhile make one more reading. */
async function refresh() {
  readAgain = true;
  if (reading) return;
  reading = true;
  try {
    while (readAgain) {
      readAgain = false;
      page.status = await (await call("api/status")).json();
      draw();
    }
  } finally {
    reading = false;
  }
}

/** @param {Heard} heard */
function hear(heard) {
  if (page.status === undefined) return;
  const { status, stale } = heardBy(page.status, heard);
  page.status = status;
  // The stream notices when the process is gone; that is not this reading's business.
  if (stale) refresh().catch(() => {});
  draw();
}

async function live() {
  const ending = new AbortController();
  const timer = setInterval(() => {
    if (!document.hidden) refresh().catch(() => {});
  }, REFRESH_MS);
  try {
    const [events] = await Promise.all([call("api/events", { signal: ending.signal }), refresh()]);
    if (page.link.state === "lost") say("Connected again");
    page.link = { state: "live", lostAt: 0 };
    page.tokenRefused = false;
    draw();
    await listen(events, ending, hear);
  } finally {
    clearInterval(timer);
    ending.abort();
  }
}

async function stayConnected() {
  for (let tries = 0;; tries++) {
    try {
      await live();
    } catch (error) {
      if (error instanceof Unauthorised) {
        page.tokenRefused = forgetToken();
        page.link = { state: "token", lostAt: 0 };
        page.status = undefined;
        return draw();
      }
    }
    if (page.link.state === "live") tries = 0;
    if (page.link.state !== "lost") page.link = { state: "lost", lostAt: Date.now() };
    draw();
    const restMs = RETRY_MS[Math.min(tries, RETRY_MS.length - 1)];
    await new Promise((resolve) => setTimeout(resolve, restMs));
  }
}

let saidTimer = 0;
/** @param {string} text */
function say(text) {
  page.said = text;
  clearTimeout(saidTimer);
  saidTimer = setTimeout(() => {
    page.said = "";
    draw();
  }, SAID_MS);
  draw();
}

/** @param {string | undefined} id */
function find(id) {
  return page.status?.routes.flatMap(({ pools }) => pools).flatMap(({ upstreams }) => upstreams)
    .find((one) => one.id === id);
}

/**
 * @param {string} what words for what is tried
 * @param {() => Promise<string>} attempt
 */
async function tried(what, attempt) {
  try {
    say(await attempt());
  } catch (error) {
    say(
      error instanceof Refused ? `${what} failed: ${error.message}` : `${what} failed: no answer`,
    );
  }
  await refresh().catch(() => {});
}

async function confirmed() {
  const { asked } = page;
  const upstream = find(asked?.id);
  if (asked === undefined || upstream === undefined || asked.busy) return;
  page.asked = { ...asked, busy: true };
  draw();
  await tried(`${ACTS[asked.act]} ${upstream.name}`, () => perform(asked.act, upstream));
  unask();
}

function unask() {
  const { asked } = page;
  if (asked === undefined) return;
  page.asked = undefined;
  render();
  // Drain has become undrain, say: any button of the card is near enough.
  const buttons = [...document.querySelectorAll("[data-act]")].filter((one) =>
    one instanceof HTMLElement && one.dataset["id"] === asked.id
  );
  const same = buttons.find((one) => one.getAttribute("data-act") === asked.act) ?? buttons[0];
  if (same instanceof HTMLElement) same.focus();
}

document.addEventListener("click", (event) => {
  const button = event.target instanceof Element ? event.target.closest("[data-act]") : null;
  if (!(button instanceof HTMLElement)) return;
  const { act, id = "", play: played = "" } = button.dataset;
  switch (act) {
    case "drain":
    case "undrain":
    case "probe":
    case "failback": {
      page.asked = { id, act, busy: false };
      render();
      const yes = document.querySelector("[data-act=confirm]");
      if (yes instanceof HTMLElement) yes.focus();
      return;
    }
    case "confirm":
      return void confirmed();
    case "cancel":
      return unask();
    case "stage": {
      const upstream = find(id);
      if (upstream === undefined) return;
      return void tried(`${played} ${upstream.name}`, () => play(played, upstream));
    }
    case "root":
      event.preventDefault();
      return void tried("Download", downloadRoot);
    default:
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") unask();
});

document.addEventListener("submit", (event) => {
  event.preventDefault();
  const input = document.getElementById("token");
  if (!(input instanceof HTMLInputElement)) return;
  keepToken(input.value);
  page.link = { state: "connecting", lostAt: 0 };
  void stayConnected();
});

void stayConnected();

/** Makes one style sheet of the parts in `style/`, at start-up. */
import base from "./style/base.css" with { type: "text" };
import card from "./style/card.css" with { type: "text" };
import certificates from "./style/certificates.css" with { type: "text" };
import figures from "./style/figures.css" with { type: "text" };
import frame from "./style/frame.css" with { type: "text" };
import narrow from "./style/narrow.css" with { type: "text" };
import pool from "./style/pool.css" with { type: "text" };
import requests from "./style/requests.css" with { type: "text" };

/** In this order, as later rules override earlier ones. */
const PARTS = [base, pool, card, figures, requests, certificates, frame, narrow];

/** Without comments and indentation, which are for whoever reads the source. */
export const STYLE = PARTS.join("").replace(/\/\*[^]*?\*\//g, "").replace(/\n\s*/g, "\n").trim();

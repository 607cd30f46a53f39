/** The pure parts of the page's script, which is plain JavaScript, under one roof for the tests. */
export { question } from "../../src/ops/page/client/actions.js";
export {
  certificateStanding,
  certificateWhy,
  issuerInWords,
  lifeLeft,
} from "../../src/ops/page/client/certificates.js";
export { failureInWords } from "../../src/ops/page/client/failures.js";
export { heardBy } from "../../src/ops/page/client/hearing.js";
export { parsed } from "../../src/ops/page/client/link.js";
export {
  reigns,
  span,
  SPARK,
  sparkline,
  stretches,
  uptime,
} from "../../src/ops/page/client/shapes.js";
export {
  changeInWords,
  count,
  duration,
  headline,
  latency,
  routeName,
  standing,
  why,
} from "../../src/ops/page/client/words.js";

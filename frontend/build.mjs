/**
 * Builds custom_components/lrs_pager/www/lrs-pager.js: our code as it is, to be read and compared, and
 * in front of it Lit as its makers ship it, minified.
 */

import { build } from "esbuild";
import { fileURLToPath } from "node:url";

const path = (name) => fileURLToPath(new URL(name, import.meta.url));
const shared = { bundle: true, format: "esm", target: "es2020", charset: "utf8", write: false };

const lit = await build({
  ...shared,
  stdin: {
    contents: `
      export { css, html, LitElement, nothing, svg } from "lit";
      export { repeat } from "lit/directives/repeat.js";
    `,
    resolveDir: path("."),
  },
  format: "iife",
  globalName: "Lit",
  minify: true,
  legalComments: "inline",
});

// What our code imports of Lit is taken from that.
const taken = {
  name: "taken",
  setup(setup) {
    setup.onResolve({ filter: /^lit/ }, () => ({ path: "lit", namespace: "taken" }));
    setup.onLoad({ filter: /.*/, namespace: "taken" }, () => ({
      contents: "export const { css, html, LitElement, nothing, repeat, svg } = Lit",
    }));
  },
};

await build({
  ...shared,
  write: true,
  entryPoints: [path("src/main.ts")],
  outfile: path("../custom_components/lrs_pager/www/lrs-pager.js"),
  plugins: [taken],
  banner: { js: lit.outputFiles[0].text },
});

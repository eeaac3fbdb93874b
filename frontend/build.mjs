/**
 * Builds custom_components/lrs_pager/www/lrs-pager.js: our code with its names and lines, to be read and
 * compared, and in front of it Lit as its makers ship it, minified.
 */

import { build, transformSync } from "esbuild";
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

const path = (name) => fileURLToPath(new URL(name, import.meta.url));
const shared = { bundle: true, format: "esm", target: "es2020", charset: "utf8", write: false };

const lit = await build({
  ...shared,
  stdin: {
    contents: `
      import { css, html, LitElement, nothing } from "lit";
      import { repeat } from "lit/directives/repeat.js";
      Lit = { css, html, LitElement, nothing, repeat };
    `,
    resolveDir: path("."),
  },
  format: "iife",
  minify: true,
  // Lit's licence, which each of its files repeats.
  legalComments: "none",
  banner: {
    js: "/** @license Lit: Copyright 2017-2022 Google LLC, BSD-3-Clause */",
  },
});

// What our code imports of Lit is taken from that.
const taken = {
  name: "taken",
  setup(setup) {
    setup.onResolve({ filter: /^lit/ }, () => ({ path: "lit", namespace: "taken" }));
    setup.onLoad({ filter: /.*/, namespace: "taken" }, () => ({
      contents: "export const { css, html, LitElement, nothing, repeat } = Lit",
    }));
  },
};

// What is indented, and what comments say, is nothing to a browser, and a sixth of the bundle.
const flat = {
  name: "flat",
  setup(setup) {
    setup.onLoad({ filter: /src.[^/\\]+\.ts$/ }, async (file) => ({
      contents: (await readFile(file.path, "utf8"))
        .replace(/(?<=css`).*?(?=`)/gs, (css) =>
          transformSync(css, { loader: "css", minify: true, target: "es2020" }).code.trim(),
        )
        .replace(/^ +/gm, "")
        .replace(/^\/\*.*?\*\/\n/gms, "")
        .replace(/^\/\/ .*\n/gm, ""),
      loader: "ts",
    }));
  },
};

const ours = await build({
  ...shared,
  minifySyntax: true,
  entryPoints: [path("src/main.ts")],
  plugins: [taken, flat],
});

await writeFile(
  path("../custom_components/lrs_pager/www/lrs-pager.js"),
  `let Lit;\n${lit.outputFiles[0].text}${ours.outputFiles[0].text.replace(/^ +|\/\* @__PURE__ \*\/ /gm, "")}`,
);

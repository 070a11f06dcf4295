// Bundles src/ into dist/: /assets/NAME-HASH.js and .css, index.html that names them, favicon.svg. `node build.mjs [OUT]`.
import { build } from 'esbuild';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const out = process.argv[2] ?? join(here, 'dist');

const bundle = async (entry) => {
  const result = await build({
    entryPoints: [join(here, 'src', entry)],
    bundle: true,
    minify: true,
    write: false,
    format: entry === 'theme.js' ? 'iife' : 'esm',
    target: ['es2022', 'chrome123', 'firefox120', 'safari17.5'],
    jsx: 'automatic',
    jsxImportSource: 'preact',
    legalComments: 'none',
    logLevel: 'warning',
    define: { 'process.env.NODE_ENV': '"production"' },
  });
  return result.outputFiles[0].contents;
};

rmSync(out, { recursive: true, force: true });
mkdirSync(join(out, 'assets'), { recursive: true });
let page = readFileSync(join(here, 'src/index.html'), 'utf8');
for (const [entry, name] of [['main.tsx', 'main.js'], ['style.css', 'main.css'], ['theme.js', 'theme.js']]) {
  const bytes = await bundle(entry);
  const hash = createHash('sha256').update(bytes).digest('hex').slice(0, 10);
  const hashed = name.replace('.', `-${hash}.`);
  writeFileSync(join(out, 'assets', hashed), bytes);
  if (!page.includes(`/assets/${name}`)) throw new Error(`index.html does not name ${name}`);
  page = page.replace(`/assets/${name}`, `/assets/${hashed}`);
}
writeFileSync(join(out, 'index.html'), page);
writeFileSync(join(out, 'favicon.svg'), readFileSync(join(here, 'src/favicon.svg')));

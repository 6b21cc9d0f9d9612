// node unpack.mjs SOURCE TARGET: decompress every file SOURCE/name.br to TARGET/name.
import { createReadStream, createWriteStream, readdirSync } from "node:fs";
import { pipeline } from "node:stream/promises";
import { createBrotliDecompress } from "node:zlib";

const [source, target] = process.argv.slice(2);
for (const file of readdirSync(source).filter((name) => name.endsWith(".br"))) {
  const output = createWriteStream(`${target}/${file.slice(0, -3)}`);
  await pipeline(createReadStream(`${source}/${file}`), createBrotliDecompress(), output);
}

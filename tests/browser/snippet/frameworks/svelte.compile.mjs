// node svelte.compile.mjs App.svelte client|server: the component as JavaScript.
import { readFileSync } from "node:fs";
import { compile } from "svelte/compiler";

const [file, generate] = process.argv.slice(2);
console.log(compile(readFileSync(file, "utf8"), { generate, filename: file }).js.code);

// Runs a CloudFront Function as its runtime 2.0 would: no network, no timers, no Buffer, no eval, and of the library
// ES5.1 and what AWS lists beside it. Input: {code, events}; output: what the function returned or threw, per event.
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/functions-javascript-runtime-20.html
const vm = require("node:vm");
const { performance } = require("node:perf_hooks");

const GLOBALS = "Object Function Array String Boolean Number Math Date RegExp JSON Error EvalError RangeError";
const MORE = " ReferenceError SyntaxError TypeError URIError NaN Infinity undefined parseInt parseFloat isNaN isFinite";
const CODERS = " decodeURI decodeURIComponent encodeURI encodeURIComponent Promise Symbol";
const LIBRARY = {
  Object:
    "assign create defineProperties defineProperty entries freeze getOwnPropertyDescriptor is isExtensible keys values",
  Math: "abs acos asin atan atan2 ceil cos exp floor log max min pow random round sin sqrt tan trunc sign",
  Array: "isArray of",
  String: "fromCharCode fromCodePoint",
  Number: "isFinite isInteger isNaN isSafeInteger parseFloat parseInt",
};
const PROTOTYPES = {
  Array:
    "concat copyWithin every fill filter find findIndex forEach includes indexOf join lastIndexOf map pop push " +
    "reduce reduceRight reverse shift slice some sort splice unshift toString",
  String:
    "charAt charCodeAt codePointAt concat endsWith includes indexOf lastIndexOf match padEnd padStart repeat replace " +
    "replaceAll search slice split startsWith substr substring toLowerCase toUpperCase trim trimEnd trimStart " +
    "toString valueOf",
  RegExp: "exec test toString flags global ignoreCase lastIndex multiline source sticky",
};

const PREPARE = `"use strict";
const root = globalThis;
const { getOwnPropertyDescriptor, getOwnPropertyNames } = Object;
const strip = (object, names) => {
  for (const name of getOwnPropertyNames(object))
    if (!names.includes(name) && getOwnPropertyDescriptor(object, name).configurable && name != "constructor")
      delete object[name];
};
const { globals, library, prototypes } = keep;
for (const name in prototypes) strip(root[name].prototype, prototypes[name]);
for (const name of getOwnPropertyNames(root)) if (!globals.includes(name)) delete root[name];
for (const name in library) strip(root[name], [...library[name], "prototype", "name", "length"]);`;

const words = (text) => text.split(" ");
const lists = (object) => Object.fromEntries(Object.entries(object).map(([name, text]) => [name, words(text)]));

/** A fresh runtime: nothing of one invocation reaches the next. */
const runtime = () => {
  const keep = { globals: words(GLOBALS + MORE + CODERS), library: lists(LIBRARY), prototypes: lists(PROTOTYPES) };
  const context = vm.createContext({ keep }, { codeGeneration: { strings: false, wasm: false } });
  vm.runInContext(PREPARE, context);
  return context;
};

const run = (script, context, event) => {
  script.runInContext(context);
  context.input = JSON.stringify(event);
  return JSON.parse(vm.runInContext("JSON.stringify(handler(JSON.parse(input)))", context));
};

const { code, events, rounds } = JSON.parse(require("node:fs").readFileSync(0, "utf-8"));
const script = new vm.Script(`"use strict";${code}`);
if (rounds) {
  // The time of evaluating the file and calling the handler, as CloudFront does for each request.
  const context = runtime();
  const call = new vm.Script("handler(event)");
  const times = [];
  for (let i = 0; i < rounds; i++) {
    context.event = vm.runInContext(`(${JSON.stringify(events[i % events.length])})`, context);
    const start = performance.now();
    script.runInContext(context);
    call.runInContext(context);
    times.push(performance.now() - start);
  }
  times.sort((a, b) => a - b);
  console.log(JSON.stringify({ least_ms: times[0], median_ms: times[rounds >> 1] }));
} else {
  const context = runtime();
  process.stdout.write(JSON.stringify(events.map((event) => run(script, context, event))));
}

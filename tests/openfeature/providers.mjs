// The official OpenFeature SDKs with their OFREP providers, asked from Python: {provider, baseUrl, contexts, types} on
// standard input, types: key → kind of value; for each context: key → [variant, value, reason, enrolled].
import { OFREPProvider } from "@openfeature/ofrep-provider";
import { OFREPWebProvider } from "@openfeature/ofrep-web-provider";
import { OpenFeature as Server } from "@openfeature/server-sdk";
import { OpenFeature as Web } from "@openfeature/web-sdk";

let input = "";
for await (const chunk of process.stdin) input += chunk;
const { provider, baseUrl, contexts, types } = JSON.parse(input);

/** Which getter serves a flag; the SDKs refuse a value of another type than asked for. */
const getters = { string: ["String", ""], number: ["Number", 0], boolean: ["Boolean", false], object: ["Object", {}] };
const short = (details) => [details.variant, details.value, details.reason, details.flagMetadata.enrolled];

const ask = {
  async server() {
    await Server.setProviderAndWait(new OFREPProvider({ baseUrl }));
    const client = Server.getClient();
    const answers = [];
    for (const context of contexts) {
      const row = {};
      for (const key of context.only ?? Object.keys(types)) {
        const [name, otherwise] = getters[types[key]];
        row[key] = short(await client[`get${name}Details`](key, otherwise, context.attributes));
      }
      answers.push(row);
    }
    return answers;
  },
  async web() {
    await Web.setContext(contexts[0].attributes);
    await Web.setProviderAndWait(new OFREPWebProvider({ baseUrl, cacheMode: "disabled" }));
    const client = Web.getClient();
    const answers = [];
    for (const context of contexts) {
      await Web.setContext(context.attributes);
      const row = {};
      for (const key of Object.keys(types)) {
        const [name, otherwise] = getters[types[key]];
        row[key] = short(client[`get${name}Details`](key, otherwise));
      }
      answers.push(row);
    }
    await Web.close();
    return answers;
  },
};

process.stdout.write(JSON.stringify(await ask[provider]()), () => process.exit(0)); // a pipe takes 64 KB at a time

"use strict";
// mpesa-api and mpesa-node, by their methods' names. One JSON call a line in, one JSON answer a line out; the first line
// is the settings, as the library itself takes them.
const https = require("node:https");
const readline = require("node:readline");

// The proxy is the default agent's: the axios of 2018 under mpesa-node reads the variable too, and can't use it for TLS.
const { HTTPS_PROXY } = process.env;
https.globalAgent = new https.Agent({ proxyEnv: { HTTPS_PROXY } });
delete process.env.HTTPS_PROXY;

const makers = {
  "mpesa-api": (settings) => new (require("mpesa-api").Mpesa)(settings, "sandbox"),
  "mpesa-node": (settings) => new (require("mpesa-node"))(settings),
};
const say = (answer) => process.stdout.write(JSON.stringify(answer) + "\n");

// mpesa-node gives the whole HTTP answer, mpesa-api its body; both reject with the HTTP answer, each in its own way.
const shown = (answer) => (answer && answer.config && answer.data ? { status: answer.status, data: answer.data } : answer);
const failed = (error) => {
  const answer = error.response || error;
  const status = answer.status || answer.statusCode;
  return { raised: error.name || "rejected", says: error.message || String(status), told: { status, data: answer.data } };
};

(async () => {
  let library = null;
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const asked = JSON.parse(line);
    if (library === null) {
      library = makers[process.argv[2]](asked);
      say({ ready: true });
      continue;
    }
    const given = Object.keys(asked.kwargs).length ? [asked.kwargs] : asked.args;
    try {
      say({ answer: shown(await library[asked.call](...given)) });
    } catch (error) {
      say(failed(error));
    }
  }
})();

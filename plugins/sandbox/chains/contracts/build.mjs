// Compiles the contracts beside it into artefacts.json: `npm install --no-save solc@0.8.37 && node build.mjs`.
// The artefacts are committed, so that nobody who runs the sandbox needs a compiler.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createHash } from "node:crypto";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
// The compiler may be installed in another folder: `node build.mjs /elsewhere`.
const from = process.argv[2] ?? here;
const solc = createRequire(join(from, "package.json"))("solc");
const names = readdirSync(here).filter((name) => name.endsWith(".sol"));
const sources = Object.fromEntries(names.map((name) => [name, { content: readFileSync(join(here, name), "utf8") }]));
const settings = {
  optimizer: { enabled: true, runs: 200 },
  evmVersion: "cancun",
  metadata: { bytecodeHash: "none", appendCBOR: false },
  outputSelection: { "*": { "*": ["abi", "evm.bytecode.object", "evm.deployedBytecode.object", "evm.methodIdentifiers"] } },
};
const made = JSON.parse(solc.compile(JSON.stringify({ language: "Solidity", sources, settings })));
const wrong = (made.errors ?? []).filter((one) => one.severity === "error");
for (const one of made.errors ?? []) console.error(one.formattedMessage);
if (wrong.length) process.exit(1);
const artefacts = {};
for (const contracts of Object.values(made.contracts)) {
  for (const [name, one] of Object.entries(contracts)) {
    if (!one.evm.bytecode.object) continue;
    artefacts[name] = {
      abi: one.abi,
      bytecode: "0x" + one.evm.bytecode.object,
      runtime: "0x" + one.evm.deployedBytecode.object,
      selectors: one.evm.methodIdentifiers,
    };
  }
}
const sorted = Object.fromEntries(Object.entries(artefacts).sort(([one], [other]) => (one < other ? -1 : 1)));
// The sources' hashes stand with what was made of them, so that a test sees when one was forgotten.
const hash = (text) => createHash("sha256").update(text).digest("hex");
const hashes = Object.fromEntries(names.sort().map((name) => [name, hash(sources[name].content)]));
const whole = { compiler: solc.version(), sources: hashes, contracts: sorted };
writeFileSync(join(here, "artefacts.json"), JSON.stringify(whole, null, 1) + "\n");

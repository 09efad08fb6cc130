// Reads one JSON line a delivery, {secret, headers, body}, and says for each whether the official verifier takes it.
const { Webhook } = require("standardwebhooks");

const lines = require("node:fs").readFileSync(0, "utf8").split("\n").filter(Boolean);
for (const line of lines) {
  const { secret, headers, body } = JSON.parse(line);
  let said = "accepted";
  try {
    new Webhook(secret).verify(Buffer.from(body, "base64").toString("utf8"), headers);
  } catch (error) {
    said = `refused: ${error.message}`;
  }
  console.log(said);
}

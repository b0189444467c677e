// The `openai` package for Node: turns, streams put together, a loop with two tools, a schema.
import assert from "node:assert/strict";
import OpenAI from "openai";

const [url, key] = process.argv.slice(2);
const client = new OpenAI({ baseURL: url, apiKey: key, maxRetries: 0 });
const BASIC = "What is the refund window of the Velmora Basic plan?";
const PRO = "What is the refund window of the Velmora Pro plan?";
const PRODUCTS = ["Velmora Basic plan", "Velmora Pro plan"];

const tool = (name) => ({
  type: "function",
  function: {
    name,
    description: "Facts.",
    parameters: {
      type: "object",
      properties: { product: { type: "string", enum: PRODUCTS } },
      required: ["product"],
      additionalProperties: false,
    },
  },
});
const TOOLS = [tool("refund_window"), tool("storage_limit")];

async function ask(model, messages, more = {}) {
  const answer = await client.chat.completions.create({ model, messages, max_tokens: 160, ...more });
  return answer.choices[0].message;
}

async function turns() {
  const messages = [{ role: "user", content: BASIC }];
  messages.push(await ask("support", messages));
  messages.push({ role: "user", content: PRO });
  assert.match((await ask("support", messages)).content, /45 days/);
}

async function streams() {
  const stream = client.chat.completions.stream({ model: "support", messages: [{ role: "user", content: BASIC }] });
  const message = (await stream.finalChatCompletion()).choices[0].message;
  assert.match(message.content, /30 days/);
  const messages = [{ role: "user", content: BASIC }, message, { role: "user", content: PRO }];
  assert.match((await ask("support", messages)).content, /45 days/);
}

async function loop() {
  const messages = [{ role: "user", content: BASIC }];
  const call = await ask("quiver-demo", messages, { tools: TOOLS, tool_choice: "required" });
  messages.push(call);
  for (const { id, function: called } of call.tool_calls) {
    const { product } = JSON.parse(called.arguments);
    assert.ok(PRODUCTS.includes(product));
    messages.push({ role: "tool", tool_call_id: id, content: `The refund window of the ${product} is 44 days.` });
  }
  assert.ok((await ask("quiver-demo", messages, { tools: TOOLS })).content);
}

async function schema() {
  const properties = { answer: { type: "string", maxLength: 40 } };
  const form = { type: "object", properties, required: ["answer"], additionalProperties: false };
  const response_format = { type: "json_schema", json_schema: { name: "answer", strict: true, schema: form } };
  const message = await ask("quiver-demo", [{ role: "user", content: BASIC }], { response_format });
  assert.equal(typeof JSON.parse(message.content).answer, "string");
}

await turns();
await streams();
await loop();
await schema();

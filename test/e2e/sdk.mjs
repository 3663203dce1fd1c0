// What npm's `openai` package sees: answers, streams, tools, and errors as its own classes. Prints TAP.
// node sdk.mjs PACKAGE_FOLDER BASE_URL KEY MODEL
const [, , folder, baseURL, apiKey, model] = process.argv;
const { default: OpenAI } = await import(folder + "/index.mjs");

const client = new OpenAI({ baseURL, apiKey, maxRetries: 0, timeout: 60000 });
const messages = [{ role: "user", content: "What is the capital of France?" }];
const claims = [];
const claim = (name, run) => claims.push([name, run]);
const must = (truth, text) => {
  if (!truth) throw new Error(text);
};

async function refused(kind, status, promise) {
  try {
    await promise;
  } catch (error) {
    must(error instanceof kind, `got ${error.constructor.name}: ${error.message}`);
    must(error.status === status, `status ${error.status}`);
    return error;
  }
  throw new Error("was not refused");
}

claim("the openai package completes a chat", async () => {
  const r = await client.chat.completions.create({ model, messages, temperature: 0 });
  must(r.object === "chat.completion" && r.choices[0].message.content.includes("Paris"), JSON.stringify(r));
  must(r.choices[0].finish_reason === "stop" && r.usage.completion_tokens > 0, JSON.stringify(r));
});

claim("the openai package completes a streamed chat with usage", async () => {
  let text = "";
  let usage = null;
  let finish = null;
  const stream = await client.chat.completions.create({
    model, messages, temperature: 0, stream: true, stream_options: { include_usage: true },
  });
  for await (const chunk of stream) {
    text += chunk.choices[0]?.delta?.content ?? "";
    finish = chunk.choices[0]?.finish_reason ?? finish;
    usage = chunk.usage ?? usage;
  }
  must(text.includes("Paris") && finish === "stop" && usage?.total_tokens > 0, `${text} ${finish} ${usage}`);
});

claim("a stream without include_usage carries no usage chunk", async () => {
  for await (const chunk of await client.chat.completions.create({ model, messages, stream: true }))
    must(!chunk.usage && chunk.choices.length > 0, JSON.stringify(chunk));
});

claim("the openai package lists the model", async () => {
  const ids = [];
  for await (const m of client.models.list()) ids.push(m.id);
  must(ids.includes(model), ids.join());
});

claim("the openai package gets a tool call with arguments that parse", async () => {
  const tools = [{ type: "function", function: { name: "get_weather", description: "Current weather of a city.",
    parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] } } }];
  const r = await client.chat.completions.create({ model, tools, temperature: 0,
    messages: [{ role: "user", content: "What is the weather in Oslo?" }] });
  const call = r.choices[0].message.tool_calls?.[0];
  must(call?.function.name === "get_weather", JSON.stringify(r.choices));
  must(JSON.parse(call.function.arguments).city === "Oslo", call.function.arguments);
});

claim("a bad key is an AuthenticationError", async () => {
  const other = new OpenAI({ baseURL, apiKey: "sk-" + "0".repeat(32), maxRetries: 0 });
  const e = await refused(OpenAI.AuthenticationError, 401, other.chat.completions.create({ model, messages }));
  must(e.type === "invalid_api_key" && e.error.message === "Invalid or expired API key", JSON.stringify(e.error));
});

claim("an unknown model is a BadRequestError that names the parameter", async () => {
  const e = await refused(OpenAI.BadRequestError, 400, client.chat.completions.create({ model: "no-such", messages }));
  must(e.param === "model" && e.type === "invalid_request_error", JSON.stringify(e.error));
  must(e.error.message.includes("no-such"), e.error.message);
});

claim("an invalid body is a BadRequestError", async () => {
  const e = await refused(OpenAI.BadRequestError, 400, client.chat.completions.create({ model, messages: "hello" }));
  must(typeof e.error.message === "string" && e.error.message.length > 0, JSON.stringify(e.error));
  await refused(OpenAI.BadRequestError, 400, client.chat.completions.create({ model }));
});

claim("an unknown path is a NotFoundError", async () => {
  await refused(OpenAI.NotFoundError, 404, client.get("/no/such/path"));
});

claim("a stream that the client aborts harms nothing", async () => {
  const stream = await client.chat.completions.create({ model, stream: true,
    messages: [{ role: "user", content: "Tell me a story." }] });
  for await (const _ of stream) break;
  stream.controller.abort();
  const r = await client.chat.completions.create({ model, messages, temperature: 0 });
  must(r.choices[0].message.content.includes("Paris"), JSON.stringify(r));
});

claim("twenty chats at once all complete", async () => {
  const all = await Promise.all(Array.from({ length: 20 }, () =>
    client.chat.completions.create({ model, messages, temperature: 0 })));
  must(all.every((r) => r.choices[0].message.content.includes("Paris")), "one of them did not");
  must(new Set(all.map((r) => r.id)).size === 20, "ids repeat");
});

console.log(`1..${claims.length}`);
let failed = 0;
for (const [i, [name, run]] of claims.entries()) {
  try {
    await run();
    console.log(`ok ${i + 1} - ${name}`);
  } catch (error) {
    failed++;
    console.log(`# ${String(error.stack).replaceAll("\n", "\n# ")}\nnot ok ${i + 1} - ${name}`);
  }
}
process.exit(failed ? 1 : 0);

// One job a line on stdin, one result a line on stdout, in the order in which they come to their end.
//
// job:    {id, client, base, key, model, prompt, tools, retries, ceiling}   base: without /v1; ceiling: seconds
// result: {id, text, reasoning, calls: [{id, name, arguments}], usage: {input, output, cached, reasoning} | null,
//          ending, status, message}
//
// `arguments` is the JSON text. `ending` is the client's own word for the end (finish_reason, status, stop_reason), or the
// class of the error that it raised, whose `status` (HTTP, or null) and `message` stand beside it. Counts that a client
// has no word for are null.
import { createInterface } from "node:readline";

import { anthropic } from "./anthropic.mjs";
import { aiSdk } from "./ai-sdk.mjs";
import { openaiChat, openaiResponses } from "./openai.mjs";

const CLIENTS = {
  "openai-node.chat": openaiChat,
  "openai-node.responses": openaiResponses,
  "anthropic-node.messages": anthropic,
  "ai-sdk.openai": aiSdk,
  "ai-sdk.openai-chat": aiSdk,
  "ai-sdk.openai-compatible": aiSdk,
  "ai-sdk.anthropic": aiSdk,
};

async function answer(job) {
  const found = { id: job.id, text: "", reasoning: "", calls: [], usage: null, ending: "", status: null, message: "" };
  const late = AbortSignal.timeout(job.ceiling * 1000);
  try {
    await CLIENTS[job.client](job, found, late);
  } catch (error) {
    found.ending = late.aborted ? "ceiling" : error.constructor.name;
    found.status = error.status ?? error.statusCode ?? null;
    found.message = String(error.message);
  }
  process.stdout.write(JSON.stringify(found) + "\n");
}

for await (const line of createInterface({ input: process.stdin })) answer(JSON.parse(line));

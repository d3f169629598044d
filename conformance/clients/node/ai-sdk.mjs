// The Vercel AI SDK's streamText, with each of its providers.
import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { jsonSchema, streamText, tool } from "ai";

const MODELS = {
  "ai-sdk.openai": (how, model) => createOpenAI(how).responses(model),
  "ai-sdk.openai-chat": (how, model) => createOpenAI(how).chat(model),
  "ai-sdk.openai-compatible": (how, model) =>
    createOpenAICompatible({ name: "gateway", includeUsage: true, ...how })(model),
  "ai-sdk.anthropic": (how, model) => createAnthropic(how)(model),
};

// Warnings about unknown models would stand between the results.
globalThis.AI_SDK_LOG_WARNINGS = false;

export async function aiSdk(job, found, signal) {
  const model = MODELS[job.client]({ baseURL: `${job.base}/v1`, apiKey: job.key }, job.model);
  const tools = job.tools.map(({ name, description, parameters }) => [
    name,
    tool({ description, inputSchema: jsonSchema(parameters) }),
  ]);
  const { fullStream } = streamText({
    model,
    prompt: job.prompt,
    tools: Object.fromEntries(tools),
    maxRetries: job.retries[0],
    abortSignal: signal,
    // Errors are read from the parts; the default writes them to the console too.
    onError() {},
  });
  let error;
  for await (const part of fullStream) {
    if (part.type === "text-delta") found.text += part.text;
    if (part.type === "reasoning-delta") found.reasoning += part.text;
    if (part.type === "tool-call") {
      found.calls.push({ id: part.toolCallId, name: part.toolName, arguments: JSON.stringify(part.input) });
    }
    if (part.type === "error") error ??= part.error;
    if (part.type === "abort") throw signal.reason;
    if (part.type === "finish") {
      found.ending = part.finishReason;
      const { inputTokens, outputTokens, inputTokenDetails, outputTokenDetails } = part.totalUsage;
      if (inputTokens === undefined && outputTokens === undefined) continue;
      found.usage = {
        input: inputTokens ?? null,
        output: outputTokens ?? null,
        cached: inputTokenDetails?.cacheReadTokens ?? null,
        reasoning: outputTokenDetails?.reasoningTokens ?? null,
      };
    }
  }
  if (error !== undefined) throw told(error);
}

// A RetryError is told by its last cause; what a provider said in its stream is an object, or a text.
function told(error) {
  if (error.lastError) return error.lastError;
  if (error instanceof Error) return error;
  return new StreamedError(typeof error === "string" ? error : (error.error?.message ?? error.message));
}

class StreamedError extends Error {}

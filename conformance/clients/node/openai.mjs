// openai-node's stream helpers.
import OpenAI from "openai";

function client(job) {
  return new OpenAI({ apiKey: job.key, baseURL: `${job.base}/v1`, maxRetries: job.retries[0] });
}

export async function openaiChat(job, found, signal) {
  const stream = client(job).chat.completions.stream(
    {
      model: job.model,
      messages: [{ role: "user", content: job.prompt }],
      stream_options: { include_usage: true },
      tools: job.tools.map((tool) => ({ type: "function", function: tool })),
    },
    { signal },
  );
  // Kept as it comes: the helper gives no completion when it raises.
  stream.on("content", (delta) => (found.text += delta));
  const completion = await stream.finalChatCompletion();
  const { message, finish_reason } = completion.choices[0];
  found.text = message.content ?? "";
  found.calls = (message.tool_calls ?? []).map((call) => ({
    id: call.id,
    name: call.function.name,
    arguments: call.function.arguments,
  }));
  const { usage } = completion;
  if (usage) {
    found.usage = {
      input: usage.prompt_tokens,
      output: usage.completion_tokens,
      cached: usage.prompt_tokens_details?.cached_tokens ?? null,
      reasoning: usage.completion_tokens_details?.reasoning_tokens ?? null,
    };
  }
  found.ending = finish_reason;
}

export async function openaiResponses(job, found, signal) {
  const stream = client(job).responses.stream(
    { model: job.model, input: job.prompt, tools: job.tools.map((tool) => ({ type: "function", ...tool })) },
    { signal },
  );
  stream.on("response.output_text.delta", (event) => (found.text += event.delta));
  const response = await stream.finalResponse();
  // The helper resolves with a failed response too, whose output need not repeat what was streamed.
  if (response.status !== "failed") found.text = response.output_text;
  for (const item of response.output) {
    if (item.type === "reasoning") found.reasoning += item.summary.map((part) => part.text).join("");
    if (item.type === "function_call") {
      found.calls.push({ id: item.call_id, name: item.name, arguments: item.arguments });
    }
  }
  const { usage } = response;
  if (usage) {
    found.usage = {
      input: usage.input_tokens,
      output: usage.output_tokens,
      cached: usage.input_tokens_details?.cached_tokens ?? null,
      reasoning: usage.output_tokens_details?.reasoning_tokens ?? null,
    };
  }
  found.ending = response.incomplete_details ? `incomplete: ${response.incomplete_details.reason}` : response.status;
  found.message = response.error?.message ?? "";
}

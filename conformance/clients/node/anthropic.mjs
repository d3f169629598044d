// The Anthropic SDK's stream helper.
import Anthropic from "@anthropic-ai/sdk";

export async function anthropic(job, found, signal) {
  const client = new Anthropic({ apiKey: job.key, baseURL: job.base, maxRetries: job.retries[0] });
  const stream = client.messages.stream(
    {
      model: job.model,
      max_tokens: 1000,
      messages: [{ role: "user", content: job.prompt }],
      tools: job.tools.map(({ name, description, parameters }) => ({ name, description, input_schema: parameters })),
    },
    { signal },
  );
  stream.on("text", (delta) => (found.text += delta));
  const message = await stream.finalMessage();
  found.text = "";
  for (const block of message.content) {
    if (block.type === "text") found.text += block.text;
    if (block.type === "thinking") found.reasoning += block.thinking;
    if (block.type === "tool_use") {
      found.calls.push({ id: block.id, name: block.name, arguments: JSON.stringify(block.input) });
    }
  }
  const { input_tokens, output_tokens, cache_read_input_tokens } = message.usage;
  found.usage = {
    input: input_tokens + (cache_read_input_tokens ?? 0),
    output: output_tokens,
    cached: cache_read_input_tokens ?? null,
    reasoning: message.usage.output_tokens_details?.thinking_tokens ?? null,
  };
  found.ending = message.stop_reason;
}

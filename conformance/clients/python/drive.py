"""openai-python's and the Anthropic SDK's stream helpers: jobs and results as in ../node/drive.mjs."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import anthropic
import openai

Json = dict[str, Any]
AT_ONCE = 16


def openai_chat(job: Json, found: Json) -> None:
    with (
        openai.OpenAI(**_options(job, f"{job['base']}/v1")) as client,
        client.chat.completions.stream(
            model=job["model"],
            messages=[{"role": "user", "content": job["prompt"]}],
            stream_options={"include_usage": True},
            tools=[{"type": "function", "function": tool} for tool in job["tools"]],
        ) as stream,
    ):
        for event in stream:
            if event.type == "content.delta":
                found["text"] += event.delta
        completion = stream.get_final_completion()
    choice = completion.choices[0]
    found["text"] = choice.message.content or ""
    found["reasoning"] = getattr(choice.message, "reasoning_content", None) or ""
    for call in choice.message.tool_calls or ():
        found["calls"].append({"id": call.id, "name": call.function.name, "arguments": call.function.arguments})
    if usage := completion.usage:
        found["usage"] = {
            "input": usage.prompt_tokens,
            "output": usage.completion_tokens,
            "cached": usage.prompt_tokens_details and usage.prompt_tokens_details.cached_tokens,
            "reasoning": usage.completion_tokens_details and usage.completion_tokens_details.reasoning_tokens,
        }
    found["ending"] = choice.finish_reason


def openai_responses(job: Json, found: Json) -> None:
    tools: list[Any] = [{"type": "function", **tool} for tool in job["tools"]]
    with (
        openai.OpenAI(**_options(job, f"{job['base']}/v1")) as client,
        client.responses.stream(model=job["model"], input=job["prompt"], tools=tools) as stream,
    ):
        for event in stream:
            if event.type == "response.output_text.delta":
                found["text"] += event.delta
            elif event.type == "response.failed" and event.response.error:
                # The helper then raises that it missed response.completed, and the cause is in its events alone.
                found["message"] = event.response.error.message
            elif event.type == "response.incomplete" and event.response.incomplete_details:
                found["message"] = event.response.incomplete_details.reason
        response = stream.get_final_response()
    found["text"] = response.output_text
    for item in response.output:
        if item.type == "reasoning":
            found["reasoning"] += "".join(part.text for part in item.summary)
        elif item.type == "function_call":
            found["calls"].append({"id": item.call_id, "name": item.name, "arguments": item.arguments})
    if usage := response.usage:
        found["usage"] = {
            "input": usage.input_tokens,
            "output": usage.output_tokens,
            "cached": usage.input_tokens_details and usage.input_tokens_details.cached_tokens,
            "reasoning": usage.output_tokens_details and usage.output_tokens_details.reasoning_tokens,
        }
    found["ending"] = response.status


def anthropic_messages(job: Json, found: Json) -> None:
    with (
        anthropic.Anthropic(**_options(job, job["base"])) as client,
        client.messages.stream(
            model=job["model"],
            max_tokens=1000,
            messages=[{"role": "user", "content": job["prompt"]}],
            tools=[
                {"name": tool["name"], "description": tool["description"], "input_schema": tool["parameters"]}
                for tool in job["tools"]
            ],
        ) as stream,
    ):
        for event in stream:
            if event.type == "text":
                found["text"] += event.text
        message = stream.get_final_message()
    found["text"] = ""
    for block in message.content:
        if block.type == "text":
            found["text"] += block.text
        elif block.type == "thinking":
            found["reasoning"] += block.thinking
        elif block.type == "tool_use":
            found["calls"].append({"id": block.id, "name": block.name, "arguments": json.dumps(block.input)})
    usage = message.usage
    details = getattr(usage, "output_tokens_details", None)
    found["usage"] = {
        "input": usage.input_tokens + (usage.cache_read_input_tokens or 0),
        "output": usage.output_tokens,
        "cached": usage.cache_read_input_tokens,
        "reasoning": getattr(details, "thinking_tokens", None),
    }
    found["ending"] = message.stop_reason


def _options(job: Json, base: str) -> Json:
    return {"api_key": job["key"], "base_url": base, "max_retries": job["retries"][0], "timeout": job["ceiling"]}


CLIENTS: dict[str, Callable[[Json, Json], None]] = {
    "openai-python.chat": openai_chat,
    "openai-python.responses": openai_responses,
    "anthropic-python.messages": anthropic_messages,
}


def answer(line: str) -> None:
    job = json.loads(line)
    found: Json = {"id": job["id"], "text": "", "reasoning": "", "calls": [], "usage": None, "ending": ""}
    found |= {"status": None, "message": ""}
    try:
        CLIENTS[job["client"]](job, found)
    except Exception as error:
        found["ending"] = type(error).__name__
        found["status"] = getattr(error, "status_code", None)
        found["message"] = found["message"] or str(error)
    # One write, so that lines of several threads stay whole.
    sys.stdout.write(json.dumps(found) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for line in sys.stdin:
            pool.submit(answer, line)

"""What a run leaves behind: `checks.jsonl`, appended check by check, and what is rendered from it."""

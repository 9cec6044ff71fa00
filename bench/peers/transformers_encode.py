"""Transformers' and PyTorch's side of bench/encode: the same directory, texts sorted by length, batches of equal tokens, fp32 on CPU.

Speaks JSON lines on stdin/stdout:
  {"open": {"model": DIR, "texts": PATH of a JSON list, "prefix": "..", "length": n, "threads": n}} -> {"ready": version}
  {"encode": tokens of a batch, "first": n or null} -> {"seconds": s, "tokens": n, "vectors": [..] of the first three texts}
"""
import json
import sys
import time

import torch
from transformers import AutoModel, AutoTokenizer


def encode(model, tokenizer, texts, length, batch_tokens):
    ids = tokenizer(texts, truncation=True, max_length=length)["input_ids"]
    order = sorted(range(len(ids)), key=lambda i: len(ids[i]))
    vectors = torch.empty(len(ids), model.config.d_model)
    at = 0
    while at < len(order):
        end = at + 1
        while end < len(order) and (end + 1 - at) * len(ids[order[end]]) <= batch_tokens:
            end += 1
        rows = order[at:end]
        width = len(ids[rows[-1]])
        batch = torch.full((len(rows), width), tokenizer.pad_token_id)
        mask = torch.zeros(len(rows), width, dtype=torch.long)
        for row, i in enumerate(rows):
            batch[row, : len(ids[i])] = torch.tensor(ids[i])
            mask[row, : len(ids[i])] = 1
        with torch.inference_mode():
            hidden = model(input_ids=batch, attention_mask=mask, use_cache=False).last_hidden_state
            weights = mask.unsqueeze(-1).float()
            pooled = (hidden * weights).sum(1) / weights.sum(1)
            vectors[rows] = torch.nn.functional.normalize(pooled, dim=-1)
        at = end
    return vectors, sum(map(len, ids))


def main():
    model = tokenizer = None
    texts, length = [], 0
    for line in sys.stdin:
        request = json.loads(line)
        if "open" in request:
            o = request["open"]
            torch.set_num_threads(o["threads"])
            torch.set_flush_denormal(True)
            model = AutoModel.from_pretrained(o["model"], dtype=torch.float32).eval()
            tokenizer = AutoTokenizer.from_pretrained(o["model"])
            with open(o["texts"]) as file:
                texts = [o["prefix"] + text for text in json.load(file)]
            length = o["length"]
            print(json.dumps({"ready": torch.__version__}), flush=True)
            continue
        some = texts[: request["first"]] if request["first"] else texts
        began = time.perf_counter()
        vectors, tokens = encode(model, tokenizer, some, length, request["encode"])
        seconds = time.perf_counter() - began
        print(json.dumps({"seconds": seconds, "tokens": tokens, "vectors": vectors[:3].flatten().tolist()}), flush=True)


if __name__ == "__main__":
    main()

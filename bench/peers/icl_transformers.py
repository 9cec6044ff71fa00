"""Do Transformers give the same log-likelihoods on the same weights?

    node build/bench/icl.js write DIR; node build/bench/icl.js scores DIR TASKS.yaml > scores.json
    python bench/peers/icl_transformers.py compare DIR scores.json      same tokens, sums within 1e-3, same greedy tokens
    python bench/peers/icl_transformers.py golden tests/golden/hf/mpt-3-heads > tests/golden/icl-scores.golden.json

`compare` tokenises the prompts itself, cuts them at the left, scores them one by one without padding, in float64 and in float32, and exits 1 if
tokens differ or a sum is off by 1e-3 from the float64 one. DIR should be a trained model: random weights large enough to be interesting make
sums of thousands of nats, whose float32 rounding alone is larger than that, in PyTorch too.
"""
import json
import random
import sys

import torch
from transformers import AutoTokenizer, MptForCausalLM


@torch.no_grad()
def score(model, tokens, start):
    """Summed log p of tokens[start:], whether each is the most likely one, and the least lead of the best token over the second."""
    logits = model(torch.tensor([tokens])).logits[0, start - 1 : -1].double()
    targets = torch.tensor(tokens[start:])
    two = logits.topk(2).values
    picked = logits.log_softmax(-1).gather(1, targets[:, None])
    return picked.sum().item(), bool((logits.argmax(-1) == targets).all()), (two[:, 0] - two[:, 1]).min().item()


def compare(folder, scores):
    with open(scores) as file:
        rows = json.load(file)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    exact = MptForCausalLM.from_pretrained(folder, dtype=torch.float64).eval()
    rounded = MptForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    room = exact.config.max_seq_len
    leading = len(tokenizer(" a", add_special_tokens=False).input_ids) == 1
    ids = lambda text: tokenizer(text, add_special_tokens=False).input_ids
    worst, worst_torch, differing, tokens_differ = 0.0, 0.0, 0, 0
    for row in rows:
        text = row["continuation"]
        after = ids(text if text.startswith(" ") or not leading else " " + text)[: room - 1]
        before = (ids(row["preamble"]) + ids(row["context"]) or [tokenizer.eos_token_id])[-(room - len(after)) :]
        tokens_differ += before + after != row["tokens"] or len(before) != row["start"]
        total, greedy, lead = score(exact, row["tokens"], row["start"])
        worst = max(worst, abs(total - row["logLikelihood"]))
        worst_torch = max(worst_torch, abs(total - score(rounded, row["tokens"], row["start"])[0]))
        differing += greedy != row["greedy"] and lead > 1e-4
    print(json.dumps({"requests": len(rows), "tasks": len({row["task"] for row in rows}), "differentTokens": tokens_differ,
                      "largestDifferenceNats": worst, "torchFloat32": worst_torch, "differentGreedy": differing}))
    sys.exit(worst > 1e-3 or differing > 0 or tokens_differ > 0)


def golden(folder):
    model = MptForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    rng = random.Random(17)
    rows = []
    for _ in range(24):
        tokens = [rng.randrange(model.config.vocab_size) for _ in range(rng.randint(2, 16))]
        if rng.random() < 0.5:  # half of them end as the model would end them, or none would be greedy
            with torch.no_grad():
                for _ in range(2):
                    tokens.append(int(model(torch.tensor([tokens])).logits[0, -1].argmax()))
            tokens, start = tokens[:16], min(len(tokens), 16) - 2
            start = max(start, 1)
        else:
            start = rng.randint(1, len(tokens) - 1)
        total, greedy, _ = score(model, tokens, start)
        rows.append({"tokens": tokens, "start": start, "logLikelihood": round(total, 6), "greedy": greedy})
    print(json.dumps(rows))


if __name__ == "__main__":
    {"compare": compare, "golden": golden}[sys.argv[1]](*sys.argv[2:])

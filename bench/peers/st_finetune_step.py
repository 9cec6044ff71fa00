"""sentence-transformers' side of bench/finetune-step: MultipleNegativesRankingLoss, clipping and AdamW on the same directory and pairs, fp32 on CPU.

Texts are tokenised before the clock starts, as isoflop does. Speaks JSON lines on stdin/stdout:
  {"open": {"model": DIR, "pairs": PATH, "query_prefix": "..", "passage_prefix": "..", "length": n, "scale": x, "threads": n}} -> {"ready": version}
  {"steps": n} -> {"seconds": [..], "losses": [..]}
"""
import json
import sys
import time

import sentence_transformers
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss


def main():
    model = loss = optimizer = None
    features = []
    for line in sys.stdin:
        request = json.loads(line)
        if "open" in request:
            o = request["open"]
            torch.set_num_threads(o["threads"])
            torch.set_flush_denormal(True)
            model = SentenceTransformer(o["model"], device="cpu")
            model.max_seq_length = o["length"]
            model.train()
            with open(o["pairs"]) as file:
                pairs = [json.loads(row) for row in file]
            columns = [[o["query_prefix"] + pair["query"] for pair in pairs]]
            for i in range(1 + len(pairs[0]["neg"])):
                columns.append([o["passage_prefix"] + (pair["pos"] + pair["neg"])[i] for pair in pairs])
            features = [model.preprocess(column) for column in columns]
            loss = MultipleNegativesRankingLoss(model, scale=o["scale"])
            optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, betas=(0.9, 0.95), weight_decay=0.0, fused=True)
            print(json.dumps({"ready": sentence_transformers.__version__}), flush=True)
            continue
        seconds, losses = [], []
        for _ in range(request["steps"]):
            began = time.perf_counter()
            value = loss([dict(column) for column in features], None)
            value.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            losses.append(value.item())
            seconds.append(time.perf_counter() - began)
        print(json.dumps({"seconds": seconds, "losses": losses}), flush=True)


if __name__ == "__main__":
    main()

"""The golden trace of tests/overfit-trace.test.ts: ten steps of clipping and AdamW on one batch that is learned by heart, by Transformers' MPT
and torch.optim.AdamW in float64.  Weights and ids are those of mpt_golden.py's first case.

    python bench/peers/overfit_trace.py tests/golden/overfit-trace.json
"""
import json
import sys

import torch
import torch.nn.functional as F
from transformers import MptConfig, MptForCausalLM

from mpt_golden import CASES, ids, weights

SETTINGS = {"learningRate": 0.01, "weightDecay": 0.01, "maxGradNorm": 1.0, "beta1": 0.9, "beta2": 0.95, "epsilon": 1e-8, "steps": 10}


def model_of(case):
    config = MptConfig(
        d_model=case["d"], n_heads=case["heads"], n_layers=case["layers"], vocab_size=case["vocab"], max_seq_len=case["length"],
        no_bias=True, resid_pdrop=0.0, emb_pdrop=0.0, attn_config={"alibi": True, "attn_pdrop": 0},
    )
    config._attn_implementation = "eager"
    model = MptForCausalLM(config).eval()
    own = dict(model.named_parameters())
    with torch.no_grad():
        for name, tensor in weights(case).items():
            own[name].copy_(tensor)
    return model.double()


def trace(case):
    model, tokens = model_of(case), ids(case)
    s = SETTINGS
    # Ours shrinks weights by weightDecay * lr / peak lr; AdamW of PyTorch by lr * its weight decay. Here lr is the peak.
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=s["learningRate"], betas=(s["beta1"], s["beta2"]), eps=s["epsilon"], weight_decay=s["weightDecay"] / s["learningRate"]
    )
    losses, norms = [], []
    for _ in range(s["steps"]):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(tokens[:, :-1]).logits.flatten(0, 1), tokens[:, 1:].flatten())
        loss.backward()
        norms.append(torch.nn.utils.clip_grad_norm_(model.parameters(), s["maxGradNorm"]).item())
        optimizer.step()
        losses.append(loss.item())
    return {**case, "ids": tokens.tolist(), **s, "losses": losses, "gradNorms": norms}


if __name__ == "__main__":
    golden = trace(CASES[0])
    with open(sys.argv[1], "w") as file:
        json.dump(golden, file)
        file.write("\n")
    print(golden["losses"], golden["gradNorms"])

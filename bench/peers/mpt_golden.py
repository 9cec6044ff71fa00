"""Golden files for the MPT decoder: tests/golden/mpt-*.json, each with a config, seeds, and what the reference makes of it.

ALiBi without biases: Hugging Face Transformers' MptForCausalLM.  Learned positions with biases: a plain PyTorch reference below
(Transformers has no such flavour; it follows llm-foundry's modeling_mpt.py).  Weights are not stored: both sides compute
w[i] = sin(seed + 0.7 i) * scale in float64 and round to float32, so the files stay small.

    python bench/peers/mpt_golden.py tests/golden
"""
import json
import math
import sys

import numpy as np
import torch
import torch.nn.functional as F
from transformers import MptConfig, MptForCausalLM

CASES = [
    {"name": "alibi-4-heads", "d": 16, "heads": 4, "layers": 2, "vocab": 37, "length": 12, "flavour": "alibi"},
    {"name": "alibi-6-heads", "d": 24, "heads": 6, "layers": 3, "vocab": 41, "length": 16, "flavour": "alibi"},
    {"name": "learned-4-heads", "d": 16, "heads": 4, "layers": 2, "vocab": 37, "length": 12, "flavour": "learned"},
    {"name": "learned-3-heads", "d": 24, "heads": 3, "layers": 2, "vocab": 29, "length": 10, "flavour": "learned"},
]


def parameters(case):
    d, v, t = case["d"], case["vocab"], case["length"]
    bias = case["flavour"] == "learned"
    out = [("transformer.wte.weight", (v, d))]
    if bias:
        out.append(("transformer.wpe.weight", (t, d)))

    def norm(name):
        out.append((f"{name}.weight", (d,)))
        if bias:
            out.append((f"{name}.bias", (d,)))

    def linear(name, o, i):
        out.append((f"{name}.weight", (o, i)))
        if bias:
            out.append((f"{name}.bias", (o,)))

    for layer in range(case["layers"]):
        p = f"transformer.blocks.{layer}"
        norm(f"{p}.norm_1")
        linear(f"{p}.attn.Wqkv", 3 * d, d)
        linear(f"{p}.attn.out_proj", d, d)
        norm(f"{p}.norm_2")
        linear(f"{p}.ffn.up_proj", 4 * d, d)
        linear(f"{p}.ffn.down_proj", d, 4 * d)
    norm("transformer.norm_f")
    return out


def weights(case):
    """Deterministic weights, made the same way in TypeScript (tests/mpt-parity.test.ts)."""
    tensors = {}
    for k, (name, shape) in enumerate(parameters(case)):
        i = np.arange(math.prod(shape), dtype=np.float64)
        w = np.sin(1.0 + 3.0 * k + 0.7 * i) * 0.3
        if name.endswith("norm_1.weight") or name.endswith("norm_2.weight") or name.endswith("norm_f.weight"):
            w += 1.0
        tensors[name] = torch.from_numpy(w.astype(np.float32).reshape(shape)).requires_grad_(True)
    return tensors


def ids(case):
    b, t, v = 2, case["length"], case["vocab"]
    return torch.tensor([[(7 * i * i + 3 * i + 5 * j + i * j) % v for i in range(t + 1)] for j in range(b)])


def transformers_alibi(case, w, x):
    config = MptConfig(
        d_model=case["d"], n_heads=case["heads"], n_layers=case["layers"], vocab_size=case["vocab"], max_seq_len=case["length"],
        no_bias=True, expansion_ratio=4, resid_pdrop=0.0, emb_pdrop=0.0, layer_norm_epsilon=1e-5, tie_word_embeddings=True,
        attn_config={"alibi": True, "alibi_bias_max": 8, "attn_pdrop": 0, "attn_type": "multihead_attention"},
    )
    config._attn_implementation = "eager"
    model = MptForCausalLM(config).eval()
    own = dict(model.named_parameters())
    with torch.no_grad():
        for name, tensor in w.items():
            own[name].copy_(tensor)
    out = model(x, output_hidden_states=True)
    return out.hidden_states[-1], out.logits, {name: own[name] for name in w}


def plain_learned(case, w, x):
    d, h = case["d"], case["heads"]
    b, t = x.shape
    norm = lambda name, v: F.layer_norm(v, (d,), w[f"{name}.weight"], w[f"{name}.bias"], 1e-5)
    linear = lambda name, v: F.linear(v, w[f"{name}.weight"], w[f"{name}.bias"])
    y = w["transformer.wte.weight"][x] + w["transformer.wpe.weight"][:t]
    for layer in range(case["layers"]):
        p = f"transformer.blocks.{layer}"
        q, k, v = linear(f"{p}.attn.Wqkv", norm(f"{p}.norm_1", y)).chunk(3, dim=2)
        q, k, v = (z.view(b, t, h, d // h).transpose(1, 2) for z in (q, k, v))
        scores = q @ k.transpose(-1, -2) / math.sqrt(d // h)
        scores = scores.masked_fill(torch.ones(t, t, dtype=torch.bool).triu(1), float("-inf"))
        y = y + linear(f"{p}.attn.out_proj", (scores.softmax(-1) @ v).transpose(1, 2).reshape(b, t, d))
        y = y + linear(f"{p}.ffn.down_proj", F.gelu(linear(f"{p}.ffn.up_proj", norm(f"{p}.norm_2", y))))
    hidden = norm("transformer.norm_f", y)
    return hidden, hidden @ w["transformer.wte.weight"].T, w


def projection(tensor):
    flat = tensor.detach().double().flatten().numpy()
    return float((flat * np.cos(1.0 + 0.37 * np.arange(flat.size))).sum())


def main(folder):
    for case in CASES:
        w, tokens = weights(case), ids(case)
        forward = transformers_alibi if case["flavour"] == "alibi" else plain_learned
        hidden, logits, leaves = forward(case, w, tokens[:, :-1])
        loss = F.cross_entropy(logits.flatten(0, 1), tokens[:, 1:].flatten())
        loss.backward()
        # Gradients are summarised by their norm, a projection in which every element counts differently, and their first numbers.
        gradients = {
            name: {"projection": projection(g), "norm": g.double().norm().item(), "head": g.flatten()[:6].tolist()}
            for name, g in ((name, leaf.grad) for name, leaf in leaves.items())
        }
        golden = {
            **case, "ids": tokens.tolist(), "loss": loss.item(), "gradients": gradients,
            "hiddenProjection": projection(hidden), "logitsProjection": projection(logits),
            "hidden": [round(v, 6) for v in hidden[-1, -3:].flatten().tolist()],
            "logits": [round(v, 6) for v in logits[-1, -3:].flatten().tolist()],
        }
        with open(f"{folder}/mpt-{case['name']}.golden.json", "w") as file:
            json.dump(golden, file)
            file.write("\n")
        print(case["name"], loss.item())


if __name__ == "__main__":
    main(sys.argv[1])

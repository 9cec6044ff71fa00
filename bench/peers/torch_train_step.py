"""PyTorch's side of bench/train-step: the same MPT (ALiBi, no biases, tied head), the same step (forward, backward, clip, AdamW), fp32 on CPU.

Speaks JSON lines on stdin/stdout so that the TypeScript bench can run A-B-A-B in one go:
  {"open": {"d_model":..,"n_heads":..,"n_layers":..,"vocab":..,"seq":..,"batch":..,"mode":"eager"|"compile","threads":2}} -> {"ready": seconds}
  {"steps": n} -> {"seconds": [..], "loss": last}
  {"close": true}
"""
import json
import math
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn


def alibi(n_heads, seq):
    n2 = 2 ** math.ceil(math.log2(n_heads))
    slopes = [2 ** -(8 * i / n2) for i in range(1, n2 + 1)]
    if n2 != n_heads:
        slopes = (slopes[1::2] + slopes[::2])[:n_heads]
    slopes = torch.tensor(slopes).view(n_heads, 1, 1)
    distance = torch.arange(1 - seq, 1).view(1, 1, seq)
    mask = torch.full((seq, seq), float("-inf")).triu(1)
    return (slopes * distance + mask).unsqueeze(0)


class Block(nn.Module):
    def __init__(self, d, h):
        super().__init__()
        self.h = h
        self.norm_1, self.norm_2 = nn.LayerNorm(d, bias=False), nn.LayerNorm(d, bias=False)
        self.qkv, self.out = nn.Linear(d, 3 * d, bias=False), nn.Linear(d, d, bias=False)
        self.up, self.down = nn.Linear(d, 4 * d, bias=False), nn.Linear(4 * d, d, bias=False)

    def forward(self, x, bias):
        b, t, d = x.shape
        q, k, v = self.qkv(self.norm_1(x)).view(b, t, 3, self.h, d // self.h).permute(2, 0, 3, 1, 4)
        a = F.scaled_dot_product_attention(q, k, v, attn_mask=bias)
        x = x + self.out(a.transpose(1, 2).reshape(b, t, d))
        return x + self.down(F.gelu(self.up(self.norm_2(x))))


class MPT(nn.Module):
    def __init__(self, d, h, layers, vocab, seq):
        super().__init__()
        self.wte = nn.Embedding(vocab, d)
        self.blocks = nn.ModuleList(Block(d, h) for _ in range(layers))
        self.norm_f = nn.LayerNorm(d, bias=False)
        self.register_buffer("bias", alibi(h, seq))
        nn.init.normal_(self.wte.weight, std=0.02)

    def forward(self, ids):
        x = self.wte(ids[:, :-1])
        for block in self.blocks:
            x = block(x, self.bias)
        logits = F.linear(self.norm_f(x), self.wte.weight)
        return F.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten())


def main():
    step = None
    for line in sys.stdin:
        request = json.loads(line)
        if "open" in request:
            o = request["open"]
            torch.set_num_threads(o["threads"])
            torch.set_flush_denormal(True)
            torch.manual_seed(17)
            began = time.perf_counter()
            model = MPT(o["d_model"], o["n_heads"], o["n_layers"], o["vocab"], o["seq"])
            optimizer = torch.optim.AdamW(model.parameters(), lr=3e-4, betas=(0.9, 0.95), eps=1e-8, weight_decay=0.0, fused=True)
            forward = torch.compile(model) if o["mode"] == "compile" else model
            generator = torch.Generator().manual_seed(17)

            def step():
                ids = torch.randint(0, o["vocab"], (o["batch"], o["seq"] + 1), generator=generator)
                loss = forward(ids)
                loss.backward()
                nn.utils.clip_grad_norm_(model.parameters(), 1.0, foreach=True)
                optimizer.step()
                optimizer.zero_grad(set_to_none=True)
                return loss.item()

            for _ in range(3):
                step()
            print(json.dumps({"ready": time.perf_counter() - began}), flush=True)
        elif "steps" in request:
            seconds, loss = [], 0.0
            for _ in range(request["steps"]):
                began = time.perf_counter()
                loss = step()
                seconds.append(time.perf_counter() - began)
            print(json.dumps({"seconds": seconds, "loss": loss}), flush=True)
        else:
            return


if __name__ == "__main__":
    main()
